import type { Scalar } from './node.js';

const INTEGER = /^(?:0o[0-7]+|0x[0-9a-fA-F]+|[-+]?[0-9]+)$/;
const FLOAT = /^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$/;

function number(text: string): Scalar {
  if (INTEGER.test(text)) {
    const value = Number(text);
    // An account id or a hash of digits only: as text rather than with other digits.
    return Number.isSafeInteger(value) ? value : text;
  }
  return FLOAT.test(text) ? Number(text) : text;
}

/** A plain scalar by the rules of YAML 1.2's core schema. Dates stay text; so do `yes`, `on` and infinities. */
export function plainScalar(text: string): Scalar {
  const first = text.charCodeAt(0);
  if (first >= 48 && first <= 57) return number(text);
  switch (first) {
    case 43: // +
    case 45: // -
    case 46: // .
      return number(text);
    case 116: // t
    case 84:
      return text === 'true' || text === 'True' || text === 'TRUE' ? true : text;
    case 102: // f
    case 70:
      return text === 'false' || text === 'False' || text === 'FALSE' ? false : text;
    case 110: // n
    case 78:
      return text === 'null' || text === 'Null' || text === 'NULL' ? null : text;
    case 126: // ~
      return text === '~' ? null : text;
    default:
      return text === '' ? null : text;
  }
}
