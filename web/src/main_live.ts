// SPDX-License-Identifier: MIT
/** The script of the page of `fireglass serve`, which asks its server for what it shows. */
import { readConfig } from './live/control.js';
import { startLive } from './live/live.js';
import { part } from './ui/dom.js';
import { showFailure } from './ui/empty.js';

const start = async (): Promise<void> => startLive(readConfig(part('live').textContent));

start().catch(showFailure);
