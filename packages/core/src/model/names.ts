interface NameRule {
  readonly allowed: RegExp;
  readonly words: string;
  readonly longest: number;
}

/** Names become parts of physical names on every provider, so they take what nearly all of those take. */
const rules: Readonly<Record<'service' | 'stage' | 'function' | 'queue' | 'topic' | 'bucket', NameRule>> = {
  service: { allowed: /[A-Za-z0-9-]/, words: 'letters, digits and hyphens', longest: 48 },
  stage: { allowed: /[A-Za-z0-9-]/, words: 'letters, digits and hyphens', longest: 32 },
  function: { allowed: /[A-Za-z0-9_-]/, words: 'letters, digits, hyphens and underscores', longest: 64 },
  queue: { allowed: /[A-Za-z0-9_-]/, words: 'letters, digits, hyphens and underscores', longest: 64 },
  topic: { allowed: /[A-Za-z0-9_-]/, words: 'letters, digits, hyphens and underscores', longest: 64 },
  bucket: { allowed: /[a-z0-9-]/, words: 'small letters, digits and hyphens', longest: 63 },
};

/** What is wrong with a name, in words that follow it; undefined when nothing is. `show: false` keeps its characters back. */
export function nameFault(kind: keyof typeof rules, name: string, show = true): string | undefined {
  const rule = rules[kind];
  if (name === '') return 'is empty';
  const at = [...name].findIndex((char) => !rule.allowed.test(char));
  if (at >= 0) {
    const which = show
      ? `has ${JSON.stringify([...name][at])} at character ${at + 1}`
      : 'has a character that names do not take';
    return `${which}; it takes ${rule.words}`;
  }
  if (!/^[A-Za-z0-9]/.test(name)) return 'must begin with a letter or a digit';
  if (name.endsWith('-')) return 'must not end with a hyphen';
  if (name.length > rule.longest) return `has ${name.length} characters; it takes ${rule.longest}`;
  return undefined;
}
