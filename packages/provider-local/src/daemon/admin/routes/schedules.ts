import { refusal } from '../../refusal.js';
import { type AdminCall, type AdminRoute, known, missing, route, STAGE } from './route.js';

/** A schedule that is to run now, by the id of its trigger or the name in it. */
export const scheduleRoutes: readonly AdminRoute[] = [route('POST', `${STAGE}/schedules/run`, run)];

async function run(call: AdminCall): Promise<{ id: string; schedule: string }> {
  const stage = known(call) ?? missing('stage');
  const named = call.query.get('id') ?? missing('schedule');
  const trigger = stage.trigger('schedule', named) ?? stage.trigger('schedule', `schedule:${named}`);
  if (trigger === undefined) {
    const all = stage.triggers().filter(({ kind }) => kind === 'schedule');
    const names = all.map(({ id }) => id.replace(/^schedule:/, '')).join(', ');
    throw refusal(
      404,
      'SFX6011',
      `no schedule ${named}; ${names === '' ? 'there is none' : `there is ${names}`}`,
    );
  }
  const feed = stage.events.feed('schedule', trigger.id);
  if (feed?.run === undefined) throw refusal(409, 'SFX6015', `${trigger.id} is not enabled`);
  return { id: await feed.run(), schedule: trigger.id };
}
