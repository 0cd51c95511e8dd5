/**
 * @typedef {object} TableColumn
 * @property {string} key the row's property
 * @property {string} label
 * @property {'start' | 'end'} [align] `end` for numbers
 * @property {boolean} [sortable]
 * @property {(value: any, row: any) => Node | string | number | null} [format] what is shown; the value itself by default
 */
/**
 * `<oriel-table>`: rows of records; sorts, scrolls sideways on small screens, says that it is empty or loading.
 *
 * @attr {string} label what the table is about; read out, not shown
 * @attr {string} empty what is said where there are no rows
 * @attr {boolean} busy the rows are being loaded
 * @attr {boolean} selectable a row can be chosen, with the mouse and with Enter
 * @attr {boolean} more there are more rows: a button below asks for them
 * @prop {TableColumn[]} columns the first names its row
 * @prop {object[]} rows
 * @fires oriel-row (detail: the row) a row was chosen
 * @fires oriel-sort (detail: {key, descending}) cancel it to sort the rows yourself
 * @fires oriel-more more rows are wanted
 */
export class OrielTableElement extends HTMLElement {
    static observedAttributes: string[];
    connectedCallback(): void;
    attributeChangedCallback(): void;
    set columns(columns: TableColumn[]);
    get columns(): TableColumn[];
    set rows(rows: any[]);
    get rows(): any[];
}
export type TableColumn = {
    /**
     * the row's property
     */
    key: string;
    label: string;
    /**
     * `end` for numbers
     */
    align?: "end" | "start" | undefined;
    sortable?: boolean | undefined;
    /**
     * what is shown; the value itself by default
     */
    format?: ((value: any, row: any) => Node | string | number | null) | undefined;
};
declare global {
    interface HTMLElementTagNameMap {
        'oriel-table': OrielTableElement;
    }
}
