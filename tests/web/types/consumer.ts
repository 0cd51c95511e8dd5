// What a product and an extension in TypeScript write. It is compiled, never run.
import { bootstrapIframe, buildExtUiSrc, configureOriel, setTheme, type BridgeError, type FrameOptions, type Theme } from '/oriel/host.js';
import { oriel, OrielError, type Context, type Question } from '/oriel/guest.js';
import { OrielTableElement, type ChartData, type TableColumn } from '/oriel/guest/components.js';

const theme: Theme = { scheme: 'dark', tokens: { 'color-accent': '#0a7' } };
const options: FrameOptions = {
  uiOrigin: 'https://ui.example',
  extensionId: 'com.acme.reports',
  contentHash: buildExtUiSrc({ uiOrigin: '', extensionId: '', contentHash: '', path: '/' }),
  getToken: async ({ fresh }) => (fresh ? 'new' : 'old'),
  onToast: ({ message, kind }) => console.log(kind === 'error', message),
  onConfirm: ({ title, danger }) => danger && title.length > 0,
  limits: { perSecond: 5 },
  hotkeys: ['Mod+k'],
  theme,
};
const handle = bootstrapIframe(document.createElement('iframe'), options);
handle.addEventListener('error', (event) => ((event as CustomEvent<BridgeError>).detail.code satisfies string));
handle.navigate(handle.path);
configureOriel({ uiOrigin: 'https://ui.example', getToken: () => 'token' });
await setTheme(theme);

const context: Context = await oriel.ready();
const response: Response = await oriel.fetch('/reports', { method: 'POST', body: JSON.stringify({}), signal: AbortSignal.timeout(1) });
const question: Question = { title: 'Sure?', danger: true };
const said: boolean = await oriel.confirm(question);
const token: string = await oriel.sessionToken();
oriel.toast(`${context.locale} ${response.status} ${said} ${token}`, 'success');
if (context.path === '/') throw new OrielError('x', 'y');

const columns: TableColumn[] = [{ key: 'a', label: 'A', align: 'end', format: (value) => String(value) }];
const table = document.querySelector('oriel-table');
if (table instanceof OrielTableElement) table.columns = columns;
const data: ChartData = { labels: ['a'], series: [{ name: 'n', values: [1, null], tone: 'danger' }] };
document.querySelector('oriel-chart')!.data = data;

// @ts-expect-error a kind that there is not
oriel.toast('x', 'loud');
// @ts-expect-error private
handle._proxy;
// @ts-expect-error getToken is missing
bootstrapIframe(document.createElement('iframe'), { uiOrigin: '', extensionId: '', contentHash: '' });
