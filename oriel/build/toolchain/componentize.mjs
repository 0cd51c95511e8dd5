/**
 * From an author's JavaScript to a component: bundle with esbuild, then componentize. `oriel/build/javascript.py`
 * copies this file beside the toolchain's node_modules and runs it with one argument, a JSON object:
 *
 *     {main, sdk, standard, wit, output, interfaces: [granted], missing: {interface: capability}}
 *
 * `standard` makes it a component of wasi:http, whose program answers `fetch` events itself.
 *
 * What is wrong with the author's code goes to standard error, and the exit code is 1.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { componentize } from '@bytecodealliance/componentize-js';
import { build } from 'esbuild';

const { splicer } = await import(
  new URL('./node_modules/@bytecodealliance/componentize-js/lib/spidermonkey-embedding-splicer.js', import.meta.url).href
);
const { main, sdk, standard, wit, output, interfaces, missing } = JSON.parse(process.argv[2]);

/** Bare names of the guest library: what `oriel` exports depends on the capabilities that were asked for. */
const oriel = {
  name: 'oriel',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^oriel:extension\// }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: /^oriel:main$/ }, () => ({ path: main }));
    onResolve({ filter: /^oriel$/ }, () => ({ path: 'oriel', namespace: 'oriel' }));
    onLoad({ filter: /^oriel$/, namespace: 'oriel' }, () => ({
      contents: ["export * from './oriel.js';", ...interfaces.map((name) => `export * as ${name} from './${name}.js';`)].join('\n'),
      resolveDir: sdk,
    }));
  },
};

/**
 * How the component's bindings hand out a string. Theirs counts its bytes in a loop, which takes an interpreter
 * 0.15 µs a character: ten times as long as all the rest of an answer of 60 KB. Here ASCII takes one pass; other text
 * is given room for what is left of it, at three bytes a character.
 */
const ENCODE = /function _utf8AllocateAndEncode\([\s\S]*?\n\}\n/;
const NATIVE_ENCODE = `function _utf8AllocateAndEncode(s, realloc, memory) {
  if (typeof s !== 'string') throw new TypeError('expected a string, received [' + typeof s + ']');
  if (s.length === 0) return { ptr: 1, len: 0 };
  let ptr = 0, size = 0, len = 0;
  while (s.length > 0) {
    const room = size + (size === 0 ? s.length : 3 * s.length);
    ptr = realloc(ptr, size, 1, room);
    size = room;
    const { read, written } = TEXT_ENCODER_UTF8.encodeInto(s, new Uint8Array(memory.buffer, ptr + len, size - len));
    len += written;
    s = s.slice(read);
  }
  return { ptr, len };
}
`;

function encodeNatively() {
  const { spliceBindings } = splicer;
  splicer.spliceBindings = (...how) => {
    const made = spliceBindings(...how);
    if (!ENCODE.test(made.jsBindings)) throw new Error('this version of componentize-js encodes strings in another way');
    return { ...made, jsBindings: made.jsBindings.replace(ENCODE, () => NATIVE_ENCODE) };
  };
}

/** esbuild's own words, and the capability that would put them right. */
function explain({ text, location }) {
  const place = location ? `${location.file}:${location.line}:${location.column + 1}: ` : '';
  const capability = missing[/No matching export in "oriel:oriel" for import "(\w+)"/.exec(text)?.[1]];
  const words = capability
    ? `'${capability}' is not among the capabilities in manifest.json: add it, with a purpose, and build again`
    : text;
  return `${place}${words}`;
}

try {
  encodeNatively();
  const bundled = await build({
    entryPoints: [standard ? main : join(sdk, 'entry.js')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2023',
    logLevel: 'silent',
    plugins: [oriel],
  });
  const bundle = `${output}.js`;
  await writeFile(bundle, bundled.outputFiles[0].contents);
  const { component } = await componentize({
    sourcePath: bundle,
    witPath: wit,
    worldName: 'component',
    disableFeatures: standard ? [] : ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
  });
  await writeFile(output, component);
} catch (error) {
  console.error(error.errors?.map(explain).join('\n') ?? error.message ?? String(error));
  process.exitCode = 1;
}
