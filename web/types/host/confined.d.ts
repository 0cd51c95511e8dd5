/**
 * Whether this page's policy keeps frames from going anywhere: tried with a frame to a name that cannot exist.
 *
 * @returns {Promise<boolean>}
 */
export function framesAreConfined(): Promise<boolean>;
