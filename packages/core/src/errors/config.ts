import type { ErrorRow } from '../errors.js';

export const configErrors = {
  SFX2001: { kind: 'mistake', title: 'not valid YAML', hint: 'Correct the marked place.', exit: 64 },
  SFX2002: { kind: 'mistake', title: 'a file cannot be read', hint: 'Check its size, its kind, and who may read it.', exit: 64 },
  SFX2101: { kind: 'mistake', title: 'a variable has no value', hint: 'Give it one, or add a fallback: `${env:NAME, \'value\'}`.', exit: 64 },
  SFX2102: { kind: 'mistake', title: 'a variable from an unknown source', hint: 'Use one of the sources that are named.', exit: 64 },
  SFX2103: { kind: 'mistake', title: 'a variable that needs itself', hint: 'Break the circle that is named.', exit: 64 },
  SFX2104: { kind: 'mistake', title: 'a file outside the project', hint: 'Move it below the folder of the configuration file.', exit: 64 },
  SFX2105: { kind: 'mistake', title: 'a file that is code', hint: 'Write its values as YAML or JSON.', exit: 64 },
  SFX2106: { kind: 'mistake', title: 'a variable that cannot be read', hint: 'Correct the marked place: `${source:address, \'fallback\'}`.', exit: 64 },
  SFX2108: { kind: 'mistake', title: 'a variable that is no text within a text', hint: 'Let the variable stand alone, or name a text below it.', exit: 64 },
  SFX2109: { kind: 'mistake', title: 'the configuration grows too large', hint: 'Aliases or variables repeat it too often; repeat less.', exit: 64 },
  SFX2200: { kind: 'mistake', title: 'the configuration has errors', hint: 'Correct each of them; nothing was built or changed.', exit: 64 },
  SFX2201: { kind: 'mistake', title: 'unknown key', hint: 'Correct its name, or remove it.', exit: 64 },
  SFX2202: { kind: 'mistake', title: 'wrong value', hint: 'Give one of the kind that is named.', exit: 64 },
  SFX2203: { kind: 'mistake', title: 'a key is missing', hint: 'Add it.', exit: 64 },
  SFX2204: { kind: 'mistake', title: 'a trigger that this provider does not have', hint: 'Use one that `sfx providers` lists for it.', exit: 64 },
  SFX2205: { kind: 'mistake', title: 'two triggers with the same source', hint: 'Keep one of them.', exit: 64 },
  SFX2206: { kind: 'mistake', title: 'a name that cannot be used', hint: 'Names become parts of physical names: letters, digits and hyphens.', exit: 64 },
  SFX2207: { kind: 'mistake', title: 'something that is named is not there', hint: 'Name one that exists.', exit: 64 },
  SFX2208: { kind: 'mistake', title: 'a value from outside in a place that is kept', hint: 'Write it out, or read it in the function.', exit: 64 },
} as const satisfies Record<string, ErrorRow>;
