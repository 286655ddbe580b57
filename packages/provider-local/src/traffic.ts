import {
  type AliasState,
  compareAndWrite,
  isSfxError,
  type Scope,
  sameJson,
  type Traffic,
} from '@sfx-deploy/plugin';
import type { Client } from './client.js';
import { stagePath } from './versions.js';
import type { AliasDocument, AliasWrite } from './wire.js';

/** One document per alias, compared by token and fence where it is kept; the gateway reads it on each call. */
export function traffic(scope: Scope, client: Client): Traffic {
  const path = (alias: string) => `${stagePath(scope)}/aliases/${alias}`;
  const read = async (alias: string): Promise<AliasState> =>
    (await client.find<AliasDocument>({
      op: 'traffic.read',
      on: alias,
      method: 'GET',
      path: path(alias),
    })) ?? { table: {} };
  return {
    ...compareAndWrite({
      cas: 'native',
      read: (alias) => read(alias.id),
      async write(alias, move, token) {
        const write: AliasWrite = { to: move.to, stamp: move.stamp, token: token ?? null };
        try {
          return await client.ask<AliasDocument>({
            op: 'traffic.set',
            on: alias.id,
            method: 'PUT',
            path: path(alias.id),
            json: write,
          });
        } catch (error) {
          if (!isSfxError(error) || error.code !== 'SFX4105') throw error;
          // The write may have been sent twice, because the engine died before it could answer the first.
          const now = await read(alias.id);
          return sameJson([now.table, now.stamp], [move.to, move.stamp]) ? now : 'conflict';
        }
      },
    }),
    confirm: async (alias, table) => sameJson((await read(alias.id)).table, table),
  };
}
