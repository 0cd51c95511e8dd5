// Checks the browser libraries with TypeScript, writes their declarations, and describes their public API.
//
//     node describe.mjs WEB TYPES API.json [FILE …]    the files are checked against the declarations
//
// Members whose name begins with an underscore are private: they are in neither.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';

const ts = createRequire(join(process.cwd(), 'x.js'))('typescript');
const [web, types, api, ...consumers] = process.argv.slice(2).map((path) => resolve(path));
const ENTRIES = ['host.js', 'guest.js', 'guest/components.js'];

function configured() {
  const file = join(web, 'tsconfig.json');
  const { config } = ts.readConfigFile(file, ts.sys.readFile);
  return ts.parseJsonConfigFileContent(config, ts.sys, web);
}

function complain(diagnostics) {
  if (!diagnostics.length) return;
  const style = { getCurrentDirectory: () => process.cwd(), getCanonicalFileName: (name) => name, getNewLine: () => '\n' };
  console.error(ts.formatDiagnostics(diagnostics, style));
  process.exit(1);
}

// declarations

const isPrivate = (member) => member.name && ts.isIdentifier(member.name) && member.name.text.startsWith('_');

function withoutPrivate(context) {
  const visit = (node) => {
    if (ts.isClassDeclaration(node)) {
      const members = node.members.filter((member) => !isPrivate(member));
      return context.factory.updateClassDeclaration(
        node, node.modifiers, node.name, node.typeParameters, node.heritageClauses, members,
      ); // prettier-ignore
    }
    return ts.visitEachChild(node, visit, context);
  };
  return (file) => ts.visitNode(file, visit);
}

/** What makes `document.querySelector('oriel-table')` an OrielTableElement. */
function tagNames(file) {
  const [tag, name] = /efine\('(oriel-[a-z]+)', (\w+)\)/.exec(ts.sys.readFile(join(web, file)))?.slice(1) ?? [];
  return tag ? `declare global {\n    interface HTMLElementTagNameMap {\n        '${tag}': ${name};\n    }\n}\n` : '';
}

function emit(program) {
  const written = (name, text) => {
    const target = join(types, relative(join(web, 'types'), name));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text + tagNames(relative(types, target).replace(/\.d\.ts$/, '.js')));
  };
  const done = program.emit(undefined, written, undefined, true, { afterDeclarations: [withoutPrivate] });
  complain([...ts.getPreEmitDiagnostics(program), ...done.diagnostics]);
}

function check(options) {
  const paths = { '/oriel/*': [join(types, '*')] };
  const loose = { noUnusedLocals: false, declaration: false, emitDeclarationOnly: false, noEmit: true, rootDir: undefined };
  const program = ts.createProgram(consumers, { ...options, ...loose, paths }, host);
  const isOurs = ({ file }) => !file || consumers.includes(resolve(file.fileName));
  complain(ts.getPreEmitDiagnostics(program).filter(isOurs));
}

// the API as data, for the reference page

const text = (parts) => ts.displayPartsToString(parts).trim();

function describe(program) {
  const checker = program.getTypeChecker();
  const described = ENTRIES.map((entry) => {
    const file = program.getSourceFile(join(web, entry));
    const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(file));
    const resolved = symbols.map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol));
    const seen = new Map(symbols.map((symbol, index) => [symbol.name, resolved[index]]));
    const head = /^\/\*\*([\s\S]*?)\*\//.exec(file.text)?.[1].replace(/^ \* ?/gm, '').trim() ?? '';
    return { entry, head, exports: [...seen].map(([name, symbol]) => describeSymbol(checker, name, symbol)) };
  });
  writeFileSync(api, JSON.stringify(described, null, 1));
}

function describeSymbol(checker, name, symbol) {
  const declaration = symbol.declarations[0];
  const common = { name, doc: text(symbol.getDocumentationComment(checker)), tags: tagsOf(symbol, checker) };
  if (ts.isClassDeclaration(declaration)) {
    return { ...common, kind: 'class', element: elementName(declaration), members: membersOf(checker, declaration) };
  }
  if (ts.isFunctionDeclaration(declaration)) return { ...common, kind: 'function', ...signatureOf(checker, declaration) };
  if (ts.isVariableDeclaration(declaration)) {
    return { ...common, kind: 'value', type: checker.typeToString(checker.getTypeOfSymbolAtLocation(symbol, declaration)) };
  }
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  const fields = type.isClassOrInterface() || type.getProperties ? type.getProperties() : [];
  const isRecord = !type.isUnion() && !type.getCallSignatures().length && fields.length;
  const shown = isRecord ? null : checker.typeToString(type, undefined, ts.TypeFormatFlags.InTypeAlias | ts.TypeFormatFlags.NoTruncation);
  return { ...common, kind: 'type', type: shown, fields: isRecord ? fields.map((field) => describeField(checker, field, declaration)) : [] };
}

function describeField(checker, field, place) {
  const isOptional = Boolean(field.flags & ts.SymbolFlags.Optional);
  const type = checker.getTypeOfSymbolAtLocation(field, place);
  const named = checker.typeToString(isOptional ? checker.getNonNullableType(type) : type, undefined, ts.TypeFormatFlags.NoTruncation);
  return { name: field.name, optional: isOptional, type: simple(named), doc: text(field.getDocumentationComment(checker)) };
}

function membersOf(checker, declaration) {
  return declaration.members
    .filter((member) => member.name && !isPrivate(member) && !ts.isSetAccessor(member) && !isStatic(member))
    .filter((member) => !/Callback$/.test(member.name.getText()))
    .map((member) => {
      const symbol = checker.getSymbolAtLocation(member.name);
      const doc = text(symbol.getDocumentationComment(checker));
      const common = { name: member.name.getText(), doc, tags: tagsOf(symbol, checker) };
      if (ts.isMethodDeclaration(member)) return { ...common, ...signatureOf(checker, member) };
      return { ...common, type: simple(checker.typeToString(checker.getTypeAtLocation(member))) };
    });
}

const isStatic = (member) => ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static;

function signatureOf(checker, declaration) {
  const signature = checker.getSignatureFromDeclaration(declaration);
  const parameters = signature.parameters.map((parameter) => {
    const named = describeField(checker, parameter, declaration);
    return { ...named, optional: checker.isOptionalParameter(parameter.valueDeclaration), name: nameOf(declaration, parameter) };
  });
  return { parameters, returns: simple(checker.typeToString(signature.getReturnType())) };
}

/** A parameter taken apart in place is called as its `@param` calls it. */
function nameOf(declaration, parameter) {
  if (!parameter.name.startsWith('__')) return parameter.name;
  const index = declaration.parameters.indexOf(parameter.valueDeclaration);
  const tags = ts.getJSDocTags(declaration).filter(ts.isJSDocParameterTag);
  return tags[index]?.name.getText() ?? 'options';
}

function tagsOf(symbol, checker) {
  return symbol.getJsDocTags(checker).map((tag) => ({ name: tag.name, text: text(tag.text ?? []) }));
}

const simple = (type) => type.replace(/import\("[^"]*"\)\./g, '').replace(/"/g, "'");

function elementName(declaration) {
  return /efine\('(oriel-[a-z]+)', /.exec(declaration.getSourceFile().text)?.[1] ?? null;
}

/** A host that reads each file once: both programs need the browser's own declarations. */
function sparing(options) {
  const made = ts.createCompilerHost(options, true);
  const read = new Map();
  const original = made.getSourceFile;
  made.getSourceFile = (name, ...more) => {
    if (!read.has(name)) read.set(name, original(name, ...more));
    return read.get(name);
  };
  return made;
}

const { fileNames, options } = configured();
const host = sparing(options);
const program = ts.createProgram(fileNames, options, host);
emit(program);
if (consumers.length) check(options);
describe(program);
