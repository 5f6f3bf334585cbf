// SPDX-License-Identifier: MIT
/** Which lanes the flame chart has, and where they lie. */
import type { App } from '../app/app.js';
import type { Mode } from '../app/state.js';
import { modeMask } from '../model/samples.js';
import { goneRows } from '../model/spans.js';
import type { Lane } from './chart_series.js';
import { makeLane } from './chart_series.js';

export const ALL_LANES = -2;
export const HEAD_PX = 20; // above the rows of a lane

/** Lanes of threads, made when they are first asked for; all anew when what is shown changes. */
export interface Lanes {
	of(thread: number): Lane;
}

export function makeLanes(app: App): Lanes {
	let stackOf: Int32Array | null = null;
	let mode: Mode | null = null;
	let spans = '';
	let mask: Uint8Array = new Uint8Array(0);
	let lanes = new Map<number, Lane>();
	return {
		of(thread) {
			const shown = app.shown();
			if (shown.stackOf !== stackOf || mode !== app.state.mode || spans !== app.state.spans) {
				spans = app.state.spans;
				stackOf = shown.stackOf;
				mode = app.state.mode;
				mask = modeMask(mode);
				lanes = new Map();
			}
			let lane = lanes.get(thread);
			if (!lane) {
				const gone = goneRows(app.capture, spans);
				lane = makeLane(app.capture, shown.tables, shown.stackOf, mask, thread, gone);
				lanes.set(thread, lane);
			}
			return lane;
		},
	};
}

/** Threads with samples that are not hidden. */
export function shownThreads(app: App): number[] {
	const hidden = new Set(app.state.tracks.hidden);
	return app.capture.threads.filter((t) => t.count > 0 && !hidden.has(t.row)).map((t) => t.row);
}

/** The one that ran most; of equals the main thread, then the first. NONE (-1): there is none. */
export function busiestThread(app: App, lanes: Lanes): number {
	let best = -1;
	let most = -1;
	for (const thread of shownThreads(app)) {
		const { busy } = lanes.of(thread);
		const better = busy === most && app.capture.threads[thread].main;
		if (busy > most || better) {
			best = thread;
			most = busy;
		}
	}
	return best;
}

/** The lanes that State.lane asks for. */
export function chosenLanes(app: App, lanes: Lanes): Lane[] {
	const { lane } = app.state;
	const threads = shownThreads(app);
	if (lane === ALL_LANES) return threads.map((t) => lanes.of(t)).filter((l) => l.depth > 0);
	const one = threads.includes(lane) ? lane : busiestThread(app, lanes);
	return one < 0 ? [] : [lanes.of(one)];
}

/** A lane and where it lies, in pixels from the top of all lanes. */
export interface LaidLane {
	readonly lane: Lane;
	readonly top: number; // of its head
	readonly rows: number; // top of its rows
	readonly end: number;
}

export function layLanes(lanes: readonly Lane[], rowPx: number): LaidLane[] {
	let y = 0;
	return lanes.map((lane) => {
		const top = y;
		const rows = top + HEAD_PX;
		y = rows + lane.depth * rowPx + 6;
		return { lane, top, rows, end: y };
	});
}

/** "worker-3, 4711: 12,345 samples" without the samples: how a thread is called. */
export function threadTitle(app: App, thread: number): string {
	const { name, tid, process } = app.capture.threads[thread];
	const { processes } = app.capture;
	const own = name || `thread ${tid}`;
	return processes.length > 1 ? `${own} of ${processes[process]?.name || 'process'}` : own;
}
