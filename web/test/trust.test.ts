// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Capture, Loss } from '../src/data/capture.js';
import { Flag } from '../src/data/capture.js';
import {
	errors,
	factRows,
	findings,
	howTaken,
	rungs,
	tickSentence,
	trustSums,
} from '../src/views/trust_sums.js';

function capture(flags: number[], facts: [string, string][], losses: Loss[]): Capture {
	return {
		facts: new Map(facts),
		losses,
		processes: [{ row: 0, pid: 7, name: 'python3', command: 'python3 a.py' }],
		periodNs: 1e6,
		unit: 'samples',
		startNs: 1700000000000000000n,
		durationNs: 5e9,
		samples: { count: flags.length, flags: Uint8Array.from(flags), weight: null },
	} as unknown as Capture;
}

const RUN = capture(
	[0, Flag.Cut, Flag.Unreadable, Flag.TakenOver, Flag.TakenOver | Flag.HoldsGil],
	[
		['tool', 'fireglass 0.1.0'],
		['ticks', '90'],
		['rung.direct', '3'],
		['rung.coscheduled', '1'],
		['odd', 'kept'],
	],
	[
		{ timeNs: 0, kind: 'missed', count: 4 },
		{ timeNs: 9, kind: 'missed', count: 6 },
		{ timeNs: 9, kind: 'no room', count: 5 },
	],
);

test('each loss and flag is counted once', () => {
	const sums = trustSums(RUN);
	assert.deepEqual(
		[sums.samples, sums.ticks, sums.missed, sums.noRoom, sums.noSpace],
		[5, 90, 10, 5, 0],
	);
	assert.deepEqual([sums.truncated, sums.unreadable, sums.takenOver], [1, 1, 2]);
	assert.match(tickSentence(sums), /90 .*10 .*100/);
});

test('shares are of what could have been, and worry where they should', () => {
	const found = new Map(findings(trustSums(RUN)).map((one) => [one.name, one]));
	assert.equal(found.get('Missed ticks')?.share, 0.1);
	assert.equal(found.get('Missed ticks')?.grade, 'worry');
	assert.equal(found.get('Truncated stacks')?.share, 0.1); // 1 of 5 samples and 5 lost
	assert.equal(found.get('No space')?.grade, 'fine');
});

test('rungs are told only if the file has them', () => {
	assert.deepEqual(
		rungs(RUN).map(({ count, share }) => [count, share]),
		[
			[3, 0.75],
			[1, 0.25],
		],
	);
	assert.deepEqual(rungs(capture([], [], [])), []);
});

test('a file of another profiler is called imported', () => {
	const other = capture([0], [['format', 'austin']], []);
	assert.match(howTaken(other, trustSums(other)), /Imported \(austin\)/);
	assert.match(tickSentence(trustSums(other)), /not known/);
});

test('facts that have no name of ours are kept', () => {
	assert.deepEqual(
		factRows(RUN).filter(([name]) => name === 'odd' || name === 'Process 7'),
		[
			['Process 7', 'python3 a.py'],
			['odd', 'kept'],
		],
	);
});

test('fewer samples are less sure', () => {
	const [few] = errors(10);
	const [many] = errors(10000);
	assert.ok(few.high - few.low > 10 * (many.high - many.low));
});
