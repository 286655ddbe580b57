import type { Adapted } from '../plain.js';

/**
 * One way of writing a handler. `adapt` of the first style that knows an export is used; a style answers undefined for what
 * it does not know, and throws for what it knows and cannot run.
 */
export interface Style {
  readonly name: string;
  adapt(exported: unknown, exportName: string): Omit<Adapted, 'style'> | undefined;
}
