import { validate } from '../config/generated/plan.validate.gen.js';
import { fail } from '../errors.js';
import type { Plan } from './plan.js';

/**
 * Reads a saved plan. Only its form is checked here; whether it still fits is decided where it is applied (SFX4201).
 * Errors: SFX4202.
 */
export function readPlan(text: string, name: string): Plan {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw fail('SFX4202', `${name} is not JSON`, { cause: error });
  }
  if (!validate(value)) throw fail('SFX4202', `${name} is not a plan that this sfx can read`);
  return value as Plan;
}
