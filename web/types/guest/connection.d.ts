/**
 * @typedef {object} Context
 * @property {string} extensionId
 * @property {string} contentHash
 * @property {string | null} version
 * @property {string} locale
 * @property {{scheme?: 'light' | 'dark', tokens?: Record<string, string>}} theme
 * @property {string} path
 * @property {string[]} hotkeys keys that the product wants also while the frame has the focus
 */
export class Connection {
    /**
     * @param {object} on
     * @param {(context: Context) => void} on.open
     * @param {(message: {type: string} & Record<string, unknown>) => void} on.message
     * @param {() => void} on.lost
     * @param {(error: OrielError) => void} on.fail
     */
    constructor(on: {
        open: (context: Context) => void;
        message: (message: {
            type: string;
        } & Record<string, unknown>) => void;
        lost: () => void;
        fail: (error: OrielError) => void;
    });
    /**
     * @param {{type: string} & Record<string, unknown>} message
     * @param {Transferable[]} [transfer]
     */
    send(message: {
        type: string;
    } & Record<string, unknown>, transfer?: Transferable[]): void;
}
export type Context = {
    extensionId: string;
    contentHash: string;
    version: string | null;
    locale: string;
    theme: {
        scheme?: "light" | "dark";
        tokens?: Record<string, string>;
    };
    path: string;
    /**
     * keys that the product wants also while the frame has the focus
     */
    hotkeys: string[];
};
import { OrielError } from './errors.js';
