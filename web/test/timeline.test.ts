// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tracks } from '../src/app/state.js';
import { Kind } from '../src/model/pyramid.js';
import { LIGHT, rgbOf } from '../src/ui/colours.js';
import { clockTime, momentText, roundStep, ticks } from '../src/views/timeline_axis.js';
import { frameInColumn } from '../src/views/timeline_boxes.js';
import { draggedWindow, gripAt } from '../src/views/timeline_head_pointer.js';
import { laneBoxes, makeLanes, markersAt, markersSeen } from '../src/views/timeline_lanes.js';
import {
	fitScale,
	type Looks,
	layOut,
	rowAt,
	rowsInSight,
	scaledHeight,
	sortTracks,
	trackOf,
} from '../src/views/timeline_layout.js';
import { makePalette, type Pixels, paintTrack } from '../src/views/timeline_paint.js';
import {
	endOf,
	kindOf,
	makeDrawn,
	makeTrack,
	placeOf,
	placesIn,
	rowOf,
	rowsByTime,
} from '../src/views/timeline_series.js';
import {
	clampWindow,
	dragged,
	LEAST_NS,
	moveEdge,
	nestRange,
	panWindow,
	pinchWindow,
	reveal,
	zoomWindow,
} from '../src/views/timeline_window.js';
import { makeCapture } from './make.js';

const SECOND = 1e9;
const HOUR = 3600 * SECOND;

test('steps are round, and never shorter than asked', () => {
	assert.equal(roundStep(3), 5);
	assert.equal(roundStep(1000), 1000);
	assert.equal(roundStep(1001), 2000);
	assert.equal(roundStep(0.6 * SECOND), SECOND);
	assert.equal(roundStep(11 * SECOND), 15 * SECOND);
	assert.equal(roundStep(40 * SECOND), 60 * SECOND);
	assert.equal(roundStep(7 * HOUR), 12 * HOUR);
	assert.equal(roundStep(30 * HOUR), 48 * HOUR);
	for (let ns = 1; ns < 1e14; ns *= 1.37) assert.ok(roundStep(ns) >= ns * (1 - 1e-9));
});

test('ticks are the multiples within, and come to an end', () => {
	assert.deepEqual(ticks(0, 10, 5), [0, 5, 10]);
	assert.deepEqual(ticks(1, 14, 5), [5, 10]);
	assert.deepEqual(ticks(6, 9, 5), []);
	assert.equal(ticks(0, 1e15, 1).length, 1000);
});

test('times are exact to the step, in the unit of the axis', () => {
	assert.equal(clockTime(12_500_000, 500_000, 9e8), '12.5 ms');
	assert.equal(clockTime(1500, 500, 9e5), '1.5 \u00b5s');
	assert.equal(clockTime(12.345678 * SECOND, 1000, 20 * SECOND), '12.345678 s');
	assert.equal(clockTime(5 * SECOND, SECOND, 20 * SECOND), '5 s');
	assert.equal(clockTime(125 * SECOND, SECOND, 600 * SECOND), '2:05');
	assert.equal(clockTime(HOUR + 62.5 * SECOND, SECOND / 2, 2 * HOUR), '1:01:02.5');
	assert.equal(clockTime(59.9999999999 * SECOND, SECOND, 600 * SECOND), '1:00');
	assert.equal(momentText(1_234_567_890, 2e6, 5 * SECOND), '1.234568 s');
});

test('windows stay within the capture and keep their length', () => {
	assert.deepEqual(clampWindow({ from: -50_000, to: 50_000 }, 1e6), { from: 0, to: 100_000 });
	assert.deepEqual(clampWindow({ from: 950_000, to: 1_050_000 }, 1e6), { from: 900_000, to: 1e6 });
	assert.deepEqual(clampWindow({ from: -5, to: 2e6 }, 1e6), { from: 0, to: 1e6 });
	assert.deepEqual(clampWindow({ from: 5000, to: 5000 }, 1e6), { from: 4000, to: 4000 + LEAST_NS });
	assert.deepEqual(clampWindow({ from: 0, to: 5 }, 10), { from: 0, to: LEAST_NS });
	assert.deepEqual(panWindow({ from: 100, to: 10_100 }, -500, 1e6), { from: 0, to: 10_000 });
});

test('what is below the pointer stays there while zooming', () => {
	const window = { from: 2e6, to: 6e6 };
	for (const factor of [2, 1.1, 0.7]) {
		const zoomed = zoomWindow(window, 3e6, factor, 1e9);
		assert.ok(Math.abs((3e6 - zoomed.from) / (zoomed.to - zoomed.from) - 0.25) < 1e-9);
		assert.ok(Math.abs(zoomed.to - zoomed.from - 4e6 / factor) < 1);
	}
	assert.deepEqual(zoomWindow(window, 3e6, 1e-9, 1e9), { from: 0, to: 1e9 });
	assert.equal(Math.round(zoomWindow(window, 3e6, 1e9, 1e9).to * 10) % 10, 0);
});

test('two fingers keep the times they hold', () => {
	const window = pinchWindow([1e6, 3e6], [100, 300], 400, 1e9);
	assert.deepEqual(window, { from: 0, to: 4e6 });
	assert.deepEqual(pinchWindow([1e6, 3e6], [100, 200], 400, 1e9), { from: 0, to: 8e6 });
	assert.equal(pinchWindow([1e6, 3e6], [100, 103], 400, 1e9), null);
	assert.equal(pinchWindow([1e6, 3e6], [300, 100], 400, 1e9), null);
});

test('revealing moves no more than it must', () => {
	const window = { from: 1000_000, to: 2000_000 };
	assert.equal(reveal(window, 1_500_000, 1_600_000, 1e9), window);
	assert.ok(reveal(window, 900_000, 950_000, 1e9).from < 900_000);
	const right = reveal(window, 2_100_000, 2_110_000, 1e9);
	assert.ok(right.to > 2_110_000 && right.to - right.from === 1_000_000);
});

test('a drag is a range in order, within the capture', () => {
	assert.deepEqual(dragged(700, 200, 1000), { from: 200, to: 700 });
	assert.deepEqual(dragged(-50, 2000, 1000), { from: 0, to: 1000 });
	assert.equal(dragged(5, 5, 1000), null);
	assert.equal(dragged(-9, -5, 1000), null);
});

test('ranges nest in those that hold them; others end', () => {
	const a = { from: 0, to: 100 };
	const b = { from: 10, to: 50 };
	assert.deepEqual(nestRange([a], b), [a, b]);
	assert.deepEqual(nestRange([a, b], { from: 40, to: 60 }), [a, { from: 40, to: 60 }]);
	assert.deepEqual(nestRange([a, b], { from: 90, to: 120 }), [{ from: 90, to: 120 }]);
	assert.deepEqual(nestRange([a, b], { from: 10, to: 50 }), [a, b]);
});

test('an edge moves past the other one, but not out of the range around', () => {
	const ranges = [
		{ from: 0, to: 100 },
		{ from: 20, to: 60 },
	];
	assert.deepEqual(moveEdge(ranges, 'to', 80).at(-1), { from: 20, to: 80 });
	assert.deepEqual(moveEdge(ranges, 'to', 10).at(-1), { from: 10, to: 20 });
	assert.deepEqual(moveEdge(ranges, 'from', -30).at(-1), { from: 0, to: 60 });
	assert.deepEqual(moveEdge(ranges, 'to', 300).at(-1), { from: 20, to: 100 });
	assert.deepEqual(moveEdge([], 'to', 3), []);
});

test('the overview is taken hold of at the edges, in the window, or beside it', () => {
	assert.equal(gripAt(102, 100, 300, false), 'from');
	assert.equal(gripAt(297, 100, 300, false), 'to');
	assert.equal(gripAt(200, 100, 300, false), 'move');
	assert.equal(gripAt(200, 0, 400, true), 'new');
	assert.equal(gripAt(50, 100, 300, false), 'new');
	const window = { from: 100_000, to: 200_000 };
	assert.deepEqual(draggedWindow('move', window, 150_000, 170_000, 1e6), {
		from: 120_000,
		to: 220_000,
	});
	assert.deepEqual(draggedWindow('from', window, 100_000, 50_000, 1e6), {
		from: 50_000,
		to: 200_000,
	});
	assert.deepEqual(draggedWindow('to', window, 200_000, 50_000, 1e6), {
		from: 50_000,
		to: 100_000,
	});
});

const TRACKS: Tracks = { hidden: [], merged: false, order: 'main', window: null };

function someThreads() {
	return makeCapture({
		processes: [
			{ pid: 10, name: 'web' },
			{ pid: 11, name: 'batch' },
		],
		threads: [
			{ name: 'worker-10', samples: ['a'], main: false, startMs: 3 },
			{ name: 'worker-2', samples: ['a', 'a'], main: false, startMs: 2 },
			{ name: 'Main', samples: ['a'], main: true, startMs: 5 },
			{ name: 'worker-2', samples: ['a'], main: false, startMs: 4 },
			{ name: 'none', samples: [] },
			{ name: 'Main', process: 1, samples: ['a'], main: true },
		],
	});
}

function looks(busy: number[], collapsed: number[] = [], tall: number[] = []): Looks {
	return {
		lanes: [14, 18],
		laneOf: [-1, -1],
		collapsed: new Set(collapsed),
		tall: new Set(tall),
		allTall: false,
		trackHeight: () => 40,
		tallHeight: () => 200,
		busy: Float64Array.from(busy),
	};
}

const BUSY = [1, 5, 2, 3, 0, 9];

function threadsInOrder(tracks: Partial<Tracks>, collapsed: number[] = []): string {
	const layout = layOut(someThreads(), { ...TRACKS, ...tracks }, looks(BUSY, collapsed));
	return layout.rows
		.map((row) => {
			if (row.kind === 'lane') return `lane ${row.lane}`;
			if (row.kind === 'process') return `process ${row.process}${row.collapsed ? '...' : ':'}`;
			return row.threads.join('+');
		})
		.join(' ');
}

test('tracks are grouped by process, in the chosen order', () => {
	assert.equal(threadsInOrder({}), 'lane 0 lane 1 process 0: 2 1 0 3 process 1: 5');
	assert.equal(threadsInOrder({ order: 'start' }), 'lane 0 lane 1 process 0: 1 0 3 2 process 1: 5');
	assert.equal(threadsInOrder({ order: 'name' }), 'lane 0 lane 1 process 1: 5 process 0: 2 1 3 0');
	assert.equal(threadsInOrder({ order: 'busy' }), 'lane 0 lane 1 process 0: 1 3 2 0 process 1: 5');
});

test('of many threads the busiest come first, below the main ones', () => {
	const capture = makeCapture({
		threads: Array.from({ length: 13 }, (_, row) => ({ samples: ['a'], startMs: row })),
	});
	const busy = Float64Array.from({ length: 13 }, (_, row) => row % 5);
	const order = (count: number): number[] => {
		const groups = Array.from({ length: count }, (_, row) => [row]);
		return sortTracks(capture, groups, 'main', busy).flat();
	};
	assert.deepEqual(order(12), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
	assert.deepEqual(order(13), [0, 4, 9, 3, 8, 2, 7, 12, 1, 6, 11, 5, 10]);
});

test('tracks are made lower so that all of them are in sight, as far as that goes', () => {
	const heightIn = (room: number): number[] => {
		const whole = layOut(someThreads(), TRACKS, looks(BUSY));
		assert.equal(whole.height, 14 + 18 + 22 + 4 * 40 + 22 + 40);
		const scale = fitScale(whole, room);
		const lower = { ...looks(BUSY), trackHeight: () => scaledHeight(40, scale) };
		const { height, rows } = layOut(someThreads(), TRACKS, lower);
		return [height, rows.at(-1)?.height ?? 0];
	};
	assert.deepEqual(heightIn(500), [276, 40]);
	assert.deepEqual(heightIn(226), [226, 30]);
	assert.deepEqual(heightIn(100), [186, 22]);
	assert.equal(scaledHeight(18, 0.5), 18, 'what is low already stays');
});

test('threads of a name merge, hidden ones go, processes collapse', () => {
	assert.equal(threadsInOrder({ merged: true }), 'lane 0 lane 1 process 0: 2 1+3 0 process 1: 5');
	assert.equal(threadsInOrder({ hidden: [1, 5] }), 'lane 0 lane 1 process 0: 2 0 3');
	assert.equal(threadsInOrder({}, [0]), 'lane 0 lane 1 process 0... process 1: 5');
});

test('rows lie below each other and are found by height', () => {
	const layout = layOut(someThreads(), TRACKS, looks(BUSY, [], [1]));
	let y = 0;
	for (const row of layout.rows) {
		assert.equal(row.y, y);
		y += row.height;
	}
	assert.equal(layout.height, y);
	for (let at = 0; at < y; at++) {
		const row = rowAt(layout, at);
		assert.ok(row !== null && row.y <= at && at < row.y + row.height);
		const [first, end] = rowsInSight(layout, at, at + 90);
		layout.rows.forEach((r, i) => {
			assert.equal(r.y < at + 90 && r.y + r.height > at, i >= first && i < end);
		});
	}
	assert.equal(rowAt(layout, y), null);
	assert.equal(rowAt(layout, -1), null);
	assert.equal(trackOf(layout, 1)?.height, 200);
	assert.equal(trackOf(layout, 4), null);
});

test('a sample counts once, as what matters most of it', () => {
	const [cpu, ready, waits] = [1, 2, 3];
	assert.equal(kindOf(cpu, 1), Kind.GilHeld);
	assert.equal(kindOf(cpu, 0), Kind.Running);
	assert.equal(kindOf(cpu, 1 | 4), Kind.Gc);
	assert.equal(kindOf(waits, 2), Kind.GilWait);
	assert.equal(kindOf(ready, 1), Kind.Runnable);
	assert.equal(kindOf(waits, 1), Kind.Waiting);
	assert.equal(kindOf(4, 0), Kind.Unknown);
	assert.equal(kindOf(cpu, 1 | 16), Kind.Lost);
});

test('samples of several threads come in order of time', () => {
	const capture = makeCapture({
		threads: [
			{ samples: ['a ! @0', 'a ! @5', 'a ! @9'] },
			{ samples: ['b ! @1', 'b ! @5', 'b ! @6', 'b ! @400'] },
			{ samples: [...Array(80).keys()].map((i) => `c ! @${7 + i / 100}`) },
		],
	});
	const rows = rowsByTime(capture, [0, 1, 2]);
	assert.deepEqual(
		[...rows].sort((x, y) => x - y),
		[...Array(87).keys()],
	);
	for (let i = 1; i < rows.length; i++) {
		assert.ok(capture.samples.timeNs[rows[i - 1]] <= capture.samples.timeNs[rows[i]]);
	}
	const { series } = makeTrack(capture, makeDrawn(capture), [0, 1, 2]);
	for (let place = 0; place < series.count; place++) {
		assert.equal(placeOf(series, rowOf(series, place), series.timeNs[place]), place);
	}
	assert.equal(placeOf(series, 999, 5e6), -1);
});

test('a sample lasts to the next one, but not over ticks that are missing', () => {
	const capture = makeCapture({
		periodNs: 1e6,
		threads: [{ samples: ['a ! @0', 'a ! @1.2', 'a ! @2', 'a ! @8', 'a ! @9 x3', 'a ! @12.1'] }],
	});
	const { series } = makeTrack(capture, makeDrawn(capture), [0]);
	const ends = [...Array(6).keys()].map((place) => endOf(series, place, 1e6) / 1e6);
	assert.deepEqual(ends, [1.2, 2, 3, 9, 12.1, 13.1]);
	assert.deepEqual(placesIn(series, 0.5e6, 0.6e6, 1e6), [0, 1]);
	assert.deepEqual(placesIn(series, 1.1e6, 2.1e6, 1e6), [1, 3]);
	const [from, to] = placesIn(series, 4e6, 5e6, 1e6);
	assert.equal(from, to);
});

/** Paints the only thread of a capture into a small picture; rows of kinds, "." for none. */
function painted(samples: string[], fromMs: number, toMs: number, width: number, height: number) {
	const capture = makeCapture({ periodNs: 1e6, threads: [{ samples }] });
	const track = makeTrack(capture, makeDrawn(capture), [0]);
	const pixels: Pixels = { data: new Uint32Array(width * height), width, height };
	const palette = makePalette(LIGHT);
	paintTrack(
		pixels,
		{
			left: 0,
			width,
			bottom: height,
			height,
			frame: 1,
			window: { from: fromMs * 1e6, to: toMs * 1e6 },
			periodNs: 1e6,
			lossesNs: Float64Array.of(5e6),
		},
		track,
		{ common: null, near: null, lit: null },
		palette,
	);
	const letters = new Map<number, string>();
	const { states } = LIGHT;
	for (const [letter, colour] of Object.entries({
		G: states.gilHeld,
		R: states.running,
		W: states.waiting,
		L: states.lost,
	})) {
		const [r, g, b] = rgbOf(colour);
		letters.set((0xff000000 | (b << 16) | (g << 8) | r) >>> 0, letter);
	}
	return [...Array(height).keys()].map((y) =>
		[...pixels.data.subarray(y * width, (y + 1) * width)]
			.map((p) => (p === 0 ? '.' : (letters.get(p) ?? 'p')))
			.join(''),
	);
}

test('a sample that is wide enough is as high as its stack is deep', () => {
	const rows = painted(['a;b;c ! cpu gil', 'a', 'a;b ! wait'], 0, 3, 9, 4);
	assert.deepEqual(rows, ['.........', 'GGG......', 'GGG...WWW', 'GGGRRRWWW']);
});

test('a column of many samples shows their shares, and how deep they go', () => {
	const half = ['a;b;c;d ! cpu gil', 'a;b;c;d ! wait'];
	assert.deepEqual(painted([...half, ...half], 0, 4, 1, 5), ['.', 'W', 'W', 'G', 'G']);
	const flat = ['a ! wait', 'a ! wait', 'a ! wait', 'a;b;c;d;e ! wait'];
	assert.deepEqual(painted(flat, 0, 4, 1, 5), ['p', 'p', 'p', 'W', 'W']);
});

test('where samples are missing there is nothing, or a mark if ticks were lost', () => {
	assert.equal(painted(['a ! @0', 'a ! @8'], 0, 9, 9, 4).at(-1), 'RLLLLLLLR');
	assert.equal(painted(['a ! @6', 'a ! @14'], 6, 15, 9, 4).at(-1), 'R.......R');
});

test('in a column the function that most samples have at a depth is pointed at', () => {
	const lines = ['a;b:3;c', 'a;b:4', 'a;b:3;d', 'a;e'];
	const capture = makeCapture({ threads: [{ samples: lines }] });
	const { series } = makeTrack(capture, makeDrawn(capture), [0]);
	const at = (from: number, to: number, depth: number): string => {
		const { stack, share } = frameInColumn(capture, series, from, to, depth);
		const { stacks, frames, functions, strings } = capture;
		const name = stack < 0 ? 'none' : strings[functions.name[frames.func[stacks.frame[stack]]]];
		return `${name} ${share}`;
	};
	assert.equal(at(0, 4, 1), 'a 1');
	assert.equal(at(0, 4, 2), 'b 0.75'); // whatever its line
	assert.equal(at(0, 3, 2), 'b 1');
	assert.equal(at(0, 4, 3), 'c 0.25');
	assert.equal(at(3, 4, 2), 'e 1');
	assert.equal(at(0, 4, 4), 'none 0');
	assert.equal(at(0, 4, 0), 'none 0');
	assert.equal(at(2, 2, 1), 'none 0');
});

test('markers lie in a lane for each kind, above each other where they overlap', () => {
	const marker = (name: string, from: number, to: number, thread = -1) => ({
		name,
		startNs: from,
		endNs: to,
		thread,
		process: -1,
		text: '',
	});
	const capture = makeCapture({
		threads: [{ samples: ['a'] }, { samples: ['a'] }],
		markers: [
			marker('request', 50, 90),
			marker('GC', 10, 12),
			marker('request', 0, 60),
			marker('request', 95, 95),
			marker('GC', 70, 71, 1),
		],
	});
	const lanes = makeLanes(capture, [1]);
	assert.deepEqual(
		lanes.map((lane) => [lane.name, lane.levels, lane.markers.length]),
		[
			['request', 2, 3],
			['GC', 1, 1],
		],
	);
	assert.deepEqual([...lanes[0].level], [0, 1, 0]);
	assert.equal(markersAt(lanes[0], 55, 0, -1).length, 2);
	assert.deepEqual(markersAt(lanes[0], 55, 0, 1)[0].startNs, 50);
	assert.equal(markersAt(lanes[0], 92, 1, -1).length, 0);
	// a marker that began long before the window is in it
	const boxes: number[][] = [];
	laneBoxes(lanes[0], 56, 58, 100, 2, (x, w, level, _, count) => boxes.push([x, w, level, count]));
	assert.deepEqual(boxes, [
		[-2, 104, 0, 1],
		[-2, 104, 1, 1],
	]);
});

test('what is seen in samples fills in for markers', () => {
	const capture = makeCapture({
		periodNs: 1e6,
		threads: [
			{ samples: ['a ! gc', 'a ! gc', 'a', 'a', 'a ! gc'] },
			{ samples: ['a ! @2 wait', 'a ! gc'] },
		],
	});
	const drawn = makeDrawn(capture);
	const seen = markersSeen(capture, drawn.kind, Kind.Gc, 'GC', 1e6);
	assert.deepEqual(
		seen.map((m) => [m.thread, m.startNs / 1e6, m.endNs / 1e6]),
		[
			[0, 0, 2],
			[0, 4, 5],
			[1, 3, 4],
		],
	);
	assert.equal(makeLanes(capture, [1], seen)[0].markers.length, 2);
});

test('markers too narrow to be told apart are one box', () => {
	const capture = makeCapture({
		threads: [{ samples: ['a'] }],
		markers: [...Array(1000).keys()].map((i) => ({
			name: 'tick',
			startNs: i * 10,
			endNs: i * 10 + 1,
			thread: -1,
			process: -1,
			text: '',
		})),
	});
	let sum = 0;
	let boxes = 0;
	laneBoxes(makeLanes(capture, [])[0], 0, 10_000, 200, 2, (_x, _w, _level, _first, count) => {
		boxes++;
		sum += count;
	});
	assert.equal(sum, 1000);
	assert.ok(boxes <= 100, `${boxes} boxes`);
});
