export { OrielError } from "./guest/errors.js";
export type Context = import("./guest/connection.js").Context;
export type Question = import("./guest/oriel.js").Question;
export { oriel, OrielGuest } from "./guest/oriel.js";
