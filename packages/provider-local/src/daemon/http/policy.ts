/** What an IAM policy document may say where nothing of IAM is there: effect, action and resource, with `*` and `?`. */

const ACTION = 'execute-api:Invoke';

/**
 * Whether a policy allows a call of `resource`, an ARN. Undefined when it is none that can be read. A denial wins. What
 * depends on a condition cannot be judged here: such a statement denies, and does not allow.
 */
export function allows(document: unknown, resource: string): boolean | undefined {
  const statements = (document as { Statement?: unknown } | null | undefined)?.Statement;
  const all = Array.isArray(statements) ? statements : [statements];
  let allowed = false;
  for (const statement of all as (Readonly<Record<string, unknown>> | null | undefined)[]) {
    if (typeof statement !== 'object' || statement === null) return undefined;
    const { Effect, Action, NotAction, Resource, NotResource, Condition } = statement;
    if (Effect !== 'Allow' && Effect !== 'Deny') return undefined;
    const action = meant(Action, NotAction, ACTION, true);
    const here = meant(Resource, NotResource, resource, false);
    if (action === undefined || here === undefined) return undefined;
    if (!action || !here) continue;
    if (Effect === 'Deny') return false;
    if (Condition === undefined || Condition === null) allowed = true;
  }
  return allowed;
}

function meant(among: unknown, not: unknown, name: string, anyCase: boolean): boolean | undefined {
  const patterns = among ?? not;
  const list = Array.isArray(patterns) ? patterns : [patterns];
  if (list.length === 0 || !list.every((one) => typeof one === 'string')) return undefined;
  const fold = (text: string) => (anyCase ? text.toLowerCase() : text);
  const found = list.some((pattern) => matches(fold(pattern), fold(name)));
  return among === undefined || among === null ? !found : found;
}

/** `*` is any text, `?` any one sign. In time proportional to both lengths, whatever the pattern. */
function matches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let from = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      from = t;
    } else if (pattern[p] === '?' || pattern[p] === text[t]) {
      p += 1;
      t += 1;
    } else if (star >= 0) {
      p = star + 1;
      t = ++from;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
