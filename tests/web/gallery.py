"""One page with every component in every state, as an extension would write it."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Components</title>
<link rel="stylesheet" href="/oriel/guest/base.css">
<link rel="stylesheet" href="style.css">
<script type="module" src="app.js"></script>
</head>
<body>
<main>
<h1>Deliveries</h1>
<oriel-toast id="note" kind="success" open>Three deliveries were planned for tomorrow.</oriel-toast>
<oriel-toast id="trouble" kind="error" open>Gate 3 does not answer.</oriel-toast>
<form id="form" class="card">
  <oriel-field label="Customer" name="customer" required hint="As it stands on the order."></oriel-field>
  <oriel-field label="Gate" name="gate" type="select">
    <option value="1">Gate 1</option><option value="2" selected>Gate 2</option>
  </oriel-field>
  <oriel-field label="Pallets" name="pallets" type="number" min="1" max="40" value="4"></oriel-field>
  <oriel-field label="Remarks" name="remarks" type="textarea" maxlength="200"
    problem="Say it in fewer words."></oriel-field>
  <oriel-field label="Tell the driver" name="tell" type="checkbox" checked></oriel-field>
  <div class="row">
    <oriel-button id="save" variant="primary" type="submit">Plan it</oriel-button>
    <oriel-button>Later</oriel-button>
    <oriel-button variant="danger">Cancel the order</oriel-button>
    <oriel-button variant="quiet" size="small" label="Close">&times;</oriel-button>
    <oriel-button busy>Saving</oriel-button>
    <oriel-button disabled>Locked</oriel-button>
  </div>
</form>
<oriel-table id="table" label="Deliveries" selectable more></oriel-table>
<oriel-table label="Returns" empty="Nothing has come back."></oriel-table>
<oriel-table id="loading" label="Late deliveries" busy></oriel-table>
<div class="charts">
  <oriel-chart id="lines" label="Deliveries a day" unit="pallets"></oriel-chart>
  <oriel-chart id="bars" label="Minutes at the gate" type="bar" unit="min"></oriel-chart>
</div>
</main>
</body>
</html>
"""
STYLE = """
main { display: grid; gap: 1.25rem; max-width: 60rem; padding: 0.25rem; }
main > * { margin: 0; }
form { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: 1rem; align-items: start; }
form .row { grid-column: 1 / -1; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 1.5rem; }
"""
SCRIPT = """
import { oriel } from '/oriel/guest.js';
import '/oriel/guest/components.js';

const $ = (id) => document.getElementById(id);
window.oriel = oriel;
window.seen = [];
const columns = [
  { key: 'order', label: 'Order', sortable: true },
  { key: 'customer', label: 'Customer', sortable: true },
  { key: 'pallets', label: 'Pallets', align: 'end', sortable: true },
  { key: 'due', label: 'Due', format: (value) => new Date(value).toLocaleDateString('en-GB') },
];
$('table').columns = columns;
$('loading').columns = columns;
$('table').rows = [
  { order: 'N-1041', customer: 'Bergen Fisk AS', pallets: 12, due: '2026-11-30' },
  { order: 'N-1040', customer: 'Ålesund Handel', pallets: 3, due: '2026-12-01' },
  { order: 'N-1039', customer: '<b>Tromsø & Co</b>', pallets: 27, due: '2026-12-04' },
];
for (const type of ['oriel-row', 'oriel-more', 'oriel-sort'])
  $('table').addEventListener(type, ({ detail }) => seen.push([type, detail?.order ?? detail?.key ?? null]));
const labels = Array.from({ length: 14 }, (_, day) => `${day + 1} Nov`);
$('lines').data = { labels, series: [
  { name: 'Planned', values: labels.map((_, day) => 30 + Math.round(12 * Math.sin(day / 2))) },
  { name: 'Delivered', values: labels.map((_, day) => (day === 6 ? null : 26 + (day * 7) % 13)) },
] };
$('bars').data = { labels: ['Gate 1', 'Gate 2', 'Gate 3', 'Gate 4'], series: [
  { name: 'Minutes', values: [14, 22.5, 41, 9], tones: [null, null, 'danger', null] },
] };
$('form').addEventListener('submit', (event) => {
  event.preventDefault();
  seen.push(['submit', Object.fromEntries(new FormData(event.target))]);
});
await oriel.ready();
document.documentElement.dataset.shown = '';
"""
FILES = {"index.html": PAGE, "style.css": STYLE, "app.js": SCRIPT}
LIGHT = {
    "scheme": "light",
    "tokens": {
        "color-background": "#f6f7f9", "color-surface": "#ffffff", "color-text": "#1b2230", "color-muted": "#5b6475",
        "color-border": "#dfe3ea", "color-accent": "#0b6e69", "color-on-accent": "#ffffff", "color-danger": "#b3261e",
    },
}  # fmt: skip
DARK = {
    "scheme": "dark",
    "tokens": {
        "color-background": "#12161d", "color-surface": "#1a202a", "color-text": "#e8ebf1", "color-muted": "#a0a9ba",
        "color-border": "#2d3543", "color-accent": "#56c7bf", "color-on-accent": "#06201f", "color-danger": "#ff9d94",
    },
}  # fmt: skip
PLAIN_LIGHT = {"scheme": "light"}
PLAIN_DARK = {"scheme": "dark"}
THEMES = {"light": LIGHT, "dark": DARK, "plain-light": PLAIN_LIGHT, "plain-dark": PLAIN_DARK}
