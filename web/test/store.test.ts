// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '../src/app/app.js';
import { checkState } from '../src/app/check.js';
import type { State } from '../src/app/state.js';
import { INITIAL } from '../src/app/state.js';
import type { Store } from '../src/app/store.js';
import { makeStore } from '../src/app/store.js';
import { makeCapture } from './make.js';

interface Bench {
	readonly store: Store;
	readonly history: string[]; // entries, as a browser has them
	readonly drawn: Change[][];
	frame(): void;
	rest(): void;
	back(): void;
}

/** A store with a browser that draws and rests when it is told to. */
function makeBench(initial: State = INITIAL, check: (s: State) => State = (s) => s): Bench {
	let frames: (() => void)[] = [];
	let resting: (() => void) | null = null;
	const history = [''];
	const drawn: Change[][] = [];
	const store = makeStore(initial, {
		frame: (run) => frames.push(run),
		rest: (run) => {
			resting = run;
		},
		push: (fragment) => history.push(fragment),
		replace: (fragment) => {
			history[history.length - 1] = fragment;
		},
		draw: (changed) => drawn.push([...changed].sort()),
		check,
	});
	return {
		store,
		history,
		drawn,
		frame() {
			const runs = frames;
			frames = [];
			for (const run of runs) run();
		},
		rest() {
			resting?.();
			resting = null;
		},
		back() {
			history.pop();
			store.go(history.at(-1) ?? '');
		},
	};
}

test('changes of one frame are told once, together', () => {
	const { store, drawn, frame } = makeBench();
	store.set({ mode: 'cpu' });
	store.set({ unit: 'percent' }, 'move');
	store.mark('hover');
	assert.equal(store.state.mode, 'cpu', 'at once for whoever asks');
	assert.deepEqual(drawn, []);
	frame();
	assert.deepEqual(drawn, [['hover', 'mode', 'unit']]);
	frame();
	assert.equal(drawn.length, 1, 'nothing changed since');
});

test('what a view changes while it is told is told in the next frame', () => {
	let runs: (() => void)[] = [];
	const drawn: Change[][] = [];
	const store: Store = makeStore(INITIAL, {
		frame: (run) => runs.push(run),
		rest() {},
		push() {},
		replace() {},
		check: (state) => state,
		draw(changed) {
			drawn.push([...changed]);
			if (changed.has('mode')) store.set({ colouring: 'state' }, 'move');
		},
	});
	store.set({ mode: 'idle' });
	for (let i = 0; i < 3; i++) {
		const now = runs;
		runs = [];
		for (const run of now) run();
	}
	assert.deepEqual(drawn, [['mode'], ['colouring']]);
});

test('what is the same is no change, and keeps its identity', () => {
	const { store, drawn, history, frame } = makeBench();
	const { ranges, tracks } = store.state;
	store.set({ ranges: [], tracks: { ...tracks }, mode: 'wall' });
	frame();
	assert.deepEqual([drawn, history], [[], ['']]);
	assert.equal(store.state.ranges, ranges);
	store.set({ ranges: [], mode: 'gil' });
	assert.equal(store.state.ranges, ranges);
});

test('steps are entries, moves replace the present one when they have come to rest', () => {
	const { store, history, frame, rest } = makeBench();
	store.set({ mode: 'cpu' }, 'step');
	frame();
	store.set({ line: 3 }, 'move');
	store.set({ line: 4 }, 'move');
	assert.deepEqual(history, ['', 'mode=cpu']);
	rest();
	assert.deepEqual(history, ['', 'mode=cpu&line=4']);
});

test('a step first writes where it comes from', () => {
	const { store, history, frame, rest } = makeBench();
	store.set({ line: 4 }, 'move');
	frame();
	store.set({ mode: 'cpu' }, 'step');
	frame();
	rest();
	assert.deepEqual(history, ['line=4', 'mode=cpu&line=4']);
});

test('steps of one frame are one entry', () => {
	const { store, history, frame, rest } = makeBench();
	store.set({ mode: 'cpu' }, 'step');
	store.set({ view: 'table' }, 'step');
	assert.deepEqual(history, ['', 'view=table&mode=cpu'], 'at once');
	frame();
	rest();
	assert.equal(history.length, 2);
	store.set({ view: 'tree' }, 'step');
	assert.equal(history.length, 3);
});

test('back undoes a step, and tells just what that changes', () => {
	const { store, drawn, frame, back } = makeBench();
	store.set({ ranges: [{ from: 1e6, to: 2e6 }], transforms: [{ kind: 'drop', func: 1 }] });
	frame();
	const { ranges } = store.state;
	store.set({ mode: 'cpu', view: 'table' });
	frame();
	back();
	frame();
	assert.equal(store.state.mode, 'wall');
	assert.equal(store.state.ranges, ranges, 'what did not change is the same object');
	assert.deepEqual(drawn.at(-1), ['mode', 'view']);
	back();
	assert.deepEqual(store.state, INITIAL);
});

test('ranges are whole nanoseconds, as a link has them', () => {
	const { store } = makeBench();
	store.set({ ranges: [{ from: 10.4, to: 10.6 }], compare: { from: 0.2, to: 7.8 } });
	assert.deepEqual(store.state.ranges, [{ from: 10, to: 11 }]);
	assert.deepEqual(store.state.compare, { from: 0, to: 8 });
});

const CAPTURE = makeCapture({
	threads: [
		{ name: 'one', samples: ['5 * main;work'] },
		{ name: 'two', samples: ['3 * main;idle'] },
	],
});

test('a state of another capture loses what this one does not have', () => {
	const checked = checkState(
		{
			...INITIAL,
			ranges: [
				{ from: -5, to: 4e6 },
				{ from: 1e6, to: 2e6 },
			],
			compare: { from: 9e9, to: 10e9 },
			lane: 2,
			tracks: { ...INITIAL.tracks, hidden: [1, 2, 99], window: { from: 3e6, to: 9e9 } },
			transforms: [
				{ kind: 'drop', func: 99 },
				{ kind: 'recursion', func: -1 },
				{ kind: 'path', funcs: [0, 99] },
				{ kind: 'focus', func: 1 },
			],
			sample: 8,
			func: 99,
		},
		CAPTURE,
	);
	assert.deepEqual(checked.ranges, [
		{ from: 0, to: 4e6 },
		{ from: 1e6, to: 2e6 },
	]);
	assert.equal(checked.compare, null);
	assert.equal(checked.lane, -1);
	assert.deepEqual(checked.tracks.hidden, [1]);
	assert.deepEqual(checked.tracks.window, { from: 3e6, to: 5e6 });
	assert.deepEqual(checked.transforms, [
		{ kind: 'recursion', func: -1 },
		{ kind: 'focus', func: 1 },
	]);
	assert.deepEqual([checked.sample, checked.func], [-1, -1]);
});

test('a state that fits stays as it is', () => {
	const state: State = { ...INITIAL, view: 'chart', sample: 7, func: 0, lane: -2 };
	assert.deepEqual(checkState(state, CAPTURE), state);
});

test('without times there are no views of time', () => {
	const counts = { ...CAPTURE, timed: false, durationNs: 0, periodNs: 0 };
	assert.equal(checkState({ ...INITIAL, view: 'heatmap' }, counts).view, 'flame');
	assert.equal(checkState({ ...INITIAL, view: 'table' }, counts).view, 'table');
});
