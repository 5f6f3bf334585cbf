// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEVELS, nextOf } from '../src/ui/choices.js';
import { emptyReasons } from '../src/ui/empty.js';
import { commandOf, doubtsOf, summaryOf } from '../src/ui/head.js';
import { byLetter, keyName } from '../src/ui/menu.js';
import { beside } from '../src/ui/place.js';
import { busySamples, matchThreads, threadName } from '../src/ui/threads.js';
import { makeCapture } from './make.js';

const run = (): void => undefined;

test('letters lead to items that can be chosen, in a ring', () => {
	const items = [
		{ label: 'Focus' },
		{ label: 'Focus on it', run },
		{ label: '' },
		{ label: 'Drop', run },
		{ label: 'focus on path', run },
	];
	assert.equal(byLetter(items, -1, 'f'), 1);
	assert.equal(byLetter(items, 1, 'F'), 4);
	assert.equal(byLetter(items, 4, 'f'), 1);
	assert.equal(byLetter(items, 0, 'x'), -1);
	assert.equal(byLetter([], -1, 'x'), -1);
});

test('keys are called as items show them', () => {
	assert.equal(keyName({ key: 'c', shiftKey: false }), 'c');
	assert.equal(keyName({ key: 'C', shiftKey: true }), 'Shift+C');
	assert.equal(keyName({ key: 'C', shiftKey: false }), 'c', 'caps lock');
	assert.equal(keyName({ key: 'F10', shiftKey: true }), 'Shift+F10');
});

test('boxes open beside a point, within the window', () => {
	assert.equal(beside(100, 50, 1000, 10), 110);
	assert.equal(beside(980, 50, 1000, 10), 920, 'on the other side');
	assert.equal(beside(30, 990, 1000, 10), 6, 'as well as it can');
	assert.ok(beside(500, 600, 1000, 10) + 600 <= 1000);
});

test('a switch goes round', () => {
	assert.deepEqual(
		LEVELS.map(([value]) => nextOf(LEVELS, value)),
		['functions', 'files', 'modules', 'lines'],
	);
});

const CAPTURE = makeCapture({
	title: 'Python 3.13.1, process 7',
	facts: { python: '3.13.1', ticks: '8' },
	processes: [
		{ pid: 7, name: 'python3', command: 'python3 app.py' },
		{ pid: 8, name: 'child', command: 'python3 -c child' },
	],
	threads: [
		{ name: 'MainThread', samples: ['5 * main;work', 'main;deep ! cut'] },
		{ name: '', tid: 4711, process: 1, samples: ['2 * main;idle ! wait'] },
	],
	losses: [{ timeNs: 3, kind: 'missed', count: 2 }],
});

test('the head says what was recorded, and nothing twice', () => {
	assert.deepEqual(summaryOf(CAPTURE), [
		'6.00 ms',
		'8 samples',
		'1 kHz',
		'2 processes',
		'2 threads',
	]);
	assert.equal(summaryOf({ ...CAPTURE, title: 'x' })[0], 'Python 3.13.1');
	const bytes = { ...CAPTURE, unit: 'bytes', timed: false, periodNs: 0 };
	assert.deepEqual(summaryOf(bytes), ['8 bytes', '2 processes', '2 threads']);
	assert.equal(commandOf(CAPTURE), 'python3 app.py (and 1 more)');
});

test('doubts are told with their share', () => {
	assert.deepEqual(doubtsOf(CAPTURE), ['2 ticks missed (20.0 %)', '1 sample cut (12.5 %)']);
	const fine = makeCapture({ threads: [{ samples: ['main'] }] });
	assert.deepEqual(doubtsOf(fine), []);
});

test('threads are found by name, number and process', () => {
	const { threads, processes } = CAPTURE;
	const found = (text: string): string[] => matchThreads(threads, processes, text).map(threadName);
	assert.deepEqual(found(' MAIN '), ['MainThread']);
	assert.deepEqual(found('4711'), ['thread 4711']);
	assert.deepEqual(found('child'), ['thread 4711']);
	assert.deepEqual(found(''), ['MainThread', 'thread 4711']);
	assert.deepEqual(found('nobody'), []);
});

test('threads are as busy as they ran or were ready to', () => {
	assert.deepEqual([...busySamples(CAPTURE)], [6, 0]);
	const blind = makeCapture({ threads: [{ samples: ['3 * main ! unknown'] }] });
	assert.deepEqual([...busySamples(blind)], [3], 'not known: all of them');
});

test('an empty capture says why and what to do', () => {
	const nothing = makeCapture({ threads: [] });
	assert.match(emptyReasons(nothing).join(' '), /ended before the first tick.*record -r 1000/);
	const lost = { ...nothing, losses: [{ timeNs: 0, kind: 'no space', count: 12 } as const] };
	assert.match(emptyReasons(lost).join(' '), /12 ticks could not be.*lower rate/);
	const facts = new Map([
		['left_out', '90'],
		['selection', '--cpu'],
	]);
	assert.match(emptyReasons({ ...nothing, facts }).join(' '), /left out all of 90 samples: --cpu/);
});
