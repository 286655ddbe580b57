import type { Delivery } from '../delivery.js';
import type { Adapted, PlainContext } from '../plain.js';

/** A handler of a known style. */
export interface Handled extends Omit<Adapted, 'style'> {
  /** Hands over what a trigger delivers, in the shape of the style. Throws when the handler says that it failed. */
  deliver(delivery: Delivery, context: PlainContext): Promise<unknown>;
}

/**
 * One way of writing a handler. `adapt` of the first style that knows an export is used; a style answers undefined for what
 * it does not know, and throws for what it knows and cannot run.
 */
export interface Style {
  readonly name: string;
  adapt(exported: unknown, exportName: string): Handled | undefined;
}
