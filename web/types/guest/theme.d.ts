/** @param {import('./connection.js').Context['theme']} theme */
export function applyTheme({ scheme, tokens }: import("./connection.js").Context["theme"]): void;
