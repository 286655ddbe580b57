import { type VariableSource, virtual } from './source.js';

const VALUES: Readonly<Record<string, boolean>> = { true: true, '1': true, false: false, '0': false };

/** `${strToBool(${env:DEBUG})}`: a text as true or false. The outcome is one of two words, so it may be shown. */
export const strToBoolSource: VariableSource = {
  name: 'strToBool',
  read({ params, shown, at }) {
    const text = (params ?? '').trim().toLowerCase();
    if (text === '' || text === 'null' || text === 'undefined') return { missing: 'it is given no text' };
    if (!Object.hasOwn(VALUES, text)) {
      return { problem: `\${${shown}} takes true, false, 1 or 0`, code: 'SFX2106' };
    }
    return virtual(VALUES[text]!, at, null);
  },
};
