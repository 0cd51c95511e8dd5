/**
 * From an author's JavaScript to a component: bundle with esbuild, then componentize. `oriel/build/javascript.py`
 * copies this file beside the toolchain's node_modules and runs it with one argument, a JSON object:
 *
 *     {main, sdk, wit, output, interfaces: [granted], missing: {interface: capability}}
 *
 * What is wrong with the author's code goes to standard error, and the exit code is 1.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { componentize } from '@bytecodealliance/componentize-js';
import { build } from 'esbuild';

const { main, sdk, wit, output, interfaces, missing } = JSON.parse(process.argv[2]);

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
  const bundled = await build({
    entryPoints: [join(sdk, 'entry.js')],
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
    disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
  });
  await writeFile(output, component);
} catch (error) {
  console.error(error.errors?.map(explain).join('\n') ?? error.message ?? String(error));
  process.exitCode = 1;
}
