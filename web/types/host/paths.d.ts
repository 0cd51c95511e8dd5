/**
 * @typedef {object} CleanPath
 * @property {string[]} segments decoded, none empty
 * @property {string} pathname `/` and the segments, encoded; a slash at the end is kept
 * @property {string} query with its question mark, or empty
 */
/**
 * @param {string} path for example `/reports/7?full=1`; a leading slash may be missing
 * @returns {CleanPath}
 * @throws {BridgeError} `invalid_path`
 */
export function cleanPath(path: string): CleanPath;
export type CleanPath = {
    /**
     * decoded, none empty
     */
    segments: string[];
    /**
     * `/` and the segments, encoded; a slash at the end is kept
     */
    pathname: string;
    /**
     * with its question mark, or empty
     */
    query: string;
};
