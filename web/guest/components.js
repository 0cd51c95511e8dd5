/**
 * Parts for an extension's page that follow the product's theme: plain custom elements, for plain HTML and any framework.
 *
 *     <script type="module" src="/oriel/guest/components.js"></script>
 *     <oriel-field label="Customer" name="customer" required></oriel-field>
 *     <oriel-button variant="primary" type="submit">Save</oriel-button>
 *
 * They take their colours from the `--oriel-*` properties that the guest library sets, and fit a plain page without it.
 */
export { OrielButtonElement } from './components/button.js';
export { OrielChartElement } from './components/chart.js';
export { OrielFieldElement } from './components/field.js';
export { OrielTableElement } from './components/table.js';
export { OrielToastElement } from './components/toast.js';

/**
 * @typedef {import('./components/chart.js').ChartData} ChartData
 * @typedef {import('./components/chart.js').ChartSeries} ChartSeries
 * @typedef {import('./components/table.js').TableColumn} TableColumn
 */
