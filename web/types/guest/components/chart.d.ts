/**
 * @typedef {object} ChartSeries
 * @property {string} name
 * @property {(number | null)[]} values one for each label; null is a gap
 * @property {'danger' | 'success' | 'warning' | 'muted'} [tone] where the colour means something
 * @property {('danger' | 'success' | 'warning' | 'muted' | null)[]} [tones] of the single bars
 *
 * @typedef {object} ChartData
 * @property {string[]} labels along the bottom
 * @property {ChartSeries[]} series
 */
/**
 * `<oriel-chart>`: lines or bars, at home in any width; the same figures stand in a table below, for who wants or needs it.
 *
 * @attr {string} label what it shows, in a few words
 * @attr {'line' | 'bar'} type `line` by default
 * @attr {number} height pixels of the drawing; 180 by default
 * @attr {string} unit after the values, for example `ms`
 * @attr {boolean} plain without the table; where the figures stand beside it already
 * @prop {ChartData} data
 */
export class OrielChartElement extends HTMLElement {
    static observedAttributes: string[];
    set data(data: ChartData);
    get data(): ChartData;
    connectedCallback(): void;
    disconnectedCallback(): void;
    attributeChangedCallback(): void;
}
export type ChartSeries = {
    name: string;
    /**
     * one for each label; null is a gap
     */
    values: (number | null)[];
    /**
     * where the colour means something
     */
    tone?: "success" | "warning" | "danger" | "muted" | undefined;
    /**
     * of the single bars
     */
    tones?: ("success" | "warning" | "danger" | "muted" | null)[] | undefined;
};
export type ChartData = {
    /**
     * along the bottom
     */
    labels: string[];
    series: ChartSeries[];
};
declare global {
    interface HTMLElementTagNameMap {
        'oriel-chart': OrielChartElement;
    }
}
