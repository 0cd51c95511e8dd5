export { OrielButtonElement } from "./components/button.js";
export { OrielChartElement } from "./components/chart.js";
export { OrielFieldElement } from "./components/field.js";
export { OrielTableElement } from "./components/table.js";
export { OrielToastElement } from "./components/toast.js";
export type ChartData = import("./components/chart.js").ChartData;
export type ChartSeries = import("./components/chart.js").ChartSeries;
export type TableColumn = import("./components/table.js").TableColumn;
