/** Whether the policy of this page keeps its frames where they belong. */

const PROBE = 'https://frame-src-probe.invalid/';
const PROBE_MS = 3_000;

/** @type {Promise<boolean> | undefined} */
let confined;

/**
 * Whether this page's policy keeps frames from going anywhere: tried with a frame to a name that cannot exist.
 *
 * @returns {Promise<boolean>}
 */
export function framesAreConfined() {
  confined ??= new Promise((resolve) => {
    const probe = document.createElement('iframe');
    probe.hidden = true;
    probe.setAttribute('sandbox', '');
    /** @param {boolean} answer */
    const settle = (answer) => {
      document.removeEventListener('securitypolicyviolation', onViolation);
      probe.remove();
      resolve(answer);
    };
    /** @param {SecurityPolicyViolationEvent} event */
    const onViolation = ({ blockedURI, effectiveDirective, disposition }) => {
      const isOurs = effectiveDirective === 'frame-src' && disposition === 'enforce';
      if (isOurs && PROBE.startsWith(blockedURI.replace(/\/$/, ''))) settle(true);
    };
    document.addEventListener('securitypolicyviolation', onViolation);
    setTimeout(settle, PROBE_MS, false);
    probe.src = PROBE;
    document.body.append(probe);
  });
  return confined;
}
