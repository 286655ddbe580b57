import { version } from '../package.json';

/** The front door, in the style of the web: a Request in, a Response out. */
export default {
  fetch(): Response {
    return Response.json({ name: 'shop', version, greeting: process.env['GREETING'] });
  },
};
