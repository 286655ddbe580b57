/** What the place can show; the same text is readable in each. */
export interface Look {
  readonly colour: boolean;
  readonly unicode: boolean;
}

export const plainLook: Look = { colour: false, unicode: true };

export type Sign = 'ok' | 'bad' | 'open' | 'none';

const signs = {
  unicode: { ok: '✔', bad: '✖', open: '●', none: ' ' },
  ascii: { ok: 'ok', bad: '!!', open: '->', none: '  ' },
} as const;

const paints = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

export type Paint = keyof typeof paints;

export function paint(look: Look, how: Paint, text: string): string {
  if (!look.colour || text === '') return text;
  const [on, off] = paints[how];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

export function sign(look: Look, which: Sign): string {
  const text = look.unicode ? signs.unicode[which] : signs.ascii[which];
  if (which === 'none') return text;
  return paint(look, which === 'ok' ? 'green' : which === 'bad' ? 'red' : 'yellow', text);
}

/** Text for a locale that is not UTF-8: the marks that sfx uses, in ASCII. */
export function toAscii(text: string): string {
  return text
    .replaceAll('✔', 'ok')
    .replaceAll('✖', '!!')
    .replaceAll('●', '->')
    .replaceAll('·', '-')
    .replaceAll('…', '...')
    .replaceAll('×', 'x');
}
