// SPDX-License-Identifier: MIT
/** Which rows the timeline has, and where: lanes of markers, processes, tracks of threads. Pure. */
import type { Tracks } from '../app/state.js';
import { type Capture, NONE, type Thread } from '../data/capture.js';

/** Heights are CSS pixels; y is from the top of all rows. */
interface Place {
	readonly y: number;
	readonly height: number;
}

export interface LaneRow extends Place {
	readonly kind: 'lane';
	readonly lane: number; // in the list that was given
}

export interface ProcessRow extends Place {
	readonly kind: 'process';
	readonly process: number;
	readonly threads: readonly number[]; // that are not hidden
	readonly collapsed: boolean;
}

export interface TrackRow extends Place {
	readonly kind: 'track';
	readonly process: number;
	readonly threads: readonly number[]; // one, or those of a name
	readonly tall: boolean;
}

export type Row = LaneRow | ProcessRow | TrackRow;

export interface Layout {
	readonly rows: readonly Row[];
	readonly height: number;
}

/** What of the looks is not part of the state. */
export interface Looks {
	readonly lanes: readonly number[]; // their heights
	readonly laneOf: readonly number[]; // the threads below whose tracks they are; NONE: on top
	readonly collapsed: ReadonlySet<number>; // processes
	readonly tall: ReadonlySet<number>; // tracks, by their first thread
	readonly allTall: boolean;
	readonly trackHeight: (threads: readonly number[]) => number;
	readonly tallHeight: (threads: readonly number[], chosen: boolean) => number;
	readonly busy: Float64Array; // by thread: weight that was not waiting
}

export const PROCESS_HEIGHT = 22;
export const COLLAPSED_HEIGHT = 34;

/** Threads with samples that are not hidden, by track: alone, or with those of their name. */
export function tracksOf(capture: Capture, tracks: Tracks): number[][] {
	const hidden = new Set(tracks.hidden);
	const found = new Map<string, number[]>();
	for (const thread of capture.threads) {
		if (thread.count === 0 || hidden.has(thread.row)) continue;
		const key = tracks.merged ? `${thread.process} ${thread.name}` : `${thread.row}`;
		const group = found.get(key);
		if (group === undefined) found.set(key, [thread.row]);
		else group.push(thread.row);
	}
	return [...found.values()];
}

const names = new Intl.Collator('en', { numeric: true });
const MANY = 12; // tracks: of more, those that do something are looked for

/** In the order that was chosen; the threads of a track and the processes too. */
export function sortTracks(
	capture: Capture,
	groups: readonly (readonly number[])[],
	order: Tracks['order'],
	busy: Float64Array,
): number[][] {
	const by = {
		main: (a: Thread, b: Thread) => a.startNs - b.startNs,
		start: (a: Thread, b: Thread) => a.startNs - b.startNs,
		name: (a: Thread, b: Thread) => names.compare(a.name, b.name) || a.tid - b.tid,
		busy: () => 0,
	}[order];
	const byLoad = order === 'busy' || (order === 'main' && groups.length > MANY);
	return groups
		.map((group) => ({
			group: [...group],
			thread: capture.threads[group[0]],
			main: order === 'main' && group.some((t) => capture.threads[t].main) ? 1 : 0,
			load: byLoad ? group.reduce((sum, t) => sum + busy[t], 0) : 0,
		}))
		.sort(
			(a, b) =>
				b.main - a.main || b.load - a.load || by(a.thread, b.thread) || a.thread.row - b.thread.row,
		)
		.map((track) => track.group);
}

/** Processes in the same order: by start, by name, or the busiest first. */
export function sortProcesses(
	capture: Capture,
	processes: readonly number[],
	order: Tracks['order'],
	load: (process: number) => number,
): number[] {
	const of = (row: number) => capture.processes[row];
	return [...processes].sort((a, b) => {
		const begun = () => of(a).startNs - of(b).startNs;
		const by = {
			main: begun,
			start: begun,
			name: () => names.compare(of(a).name, of(b).name) || of(a).pid - of(b).pid,
			busy: () => load(b) - load(a),
		}[order]();
		return by || a - b;
	});
}

/** All rows from top to bottom. A capture of one process and one thread has no row of a process. */
export function layOut(capture: Capture, tracks: Tracks, looks: Looks): Layout {
	const rows: Row[] = [];
	let y = 0;
	const add = (row: Row) => {
		rows.push(row);
		y += row.height;
	};
	const addLanes = (threads: readonly number[]) => {
		for (const [lane, height] of looks.lanes.entries()) {
			if (threads.includes(looks.laneOf[lane])) add({ kind: 'lane', y, height, lane });
		}
	};
	addLanes([NONE]);
	const groups = sortTracks(capture, tracksOf(capture, tracks), tracks.order, looks.busy);
	const byProcess = new Map<number, number[][]>();
	for (const group of groups) {
		const process = capture.threads[group[0]].process;
		const list = byProcess.get(process);
		if (list === undefined) byProcess.set(process, [group]);
		else list.push(group);
	}
	const load = (p: number) =>
		(byProcess.get(p) ?? []).flat().reduce((sum, t) => sum + looks.busy[t], 0);
	const headed = capture.threads.length > 1 || capture.processes.length > 1;
	for (const process of sortProcesses(capture, [...byProcess.keys()], tracks.order, load)) {
		const own = byProcess.get(process) ?? [];
		const collapsed = looks.collapsed.has(process);
		const threads = own.flat();
		const height = collapsed ? COLLAPSED_HEIGHT : PROCESS_HEIGHT;
		if (headed) add({ kind: 'process', y, height, process, threads, collapsed });
		if (collapsed && headed) continue;
		for (const group of own) {
			const chosen = looks.tall.has(group[0]);
			const tall = looks.allTall || chosen;
			const h = tall ? looks.tallHeight(group, chosen) : looks.trackHeight(group);
			add({ kind: 'track', y, height: h, process, threads: group, tall });
			addLanes(group);
		}
	}
	return { rows, height: y };
}

/** Rows [first, end) of which something is in [top, bottom). */
export function rowsInSight(layout: Layout, top: number, bottom: number): [number, number] {
	const { rows } = layout;
	let low = 0;
	let high = rows.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (rows[middle].y + rows[middle].height <= top) low = middle + 1;
		else high = middle;
	}
	let end = low;
	while (end < rows.length && rows[end].y < bottom) end++;
	return [low, end];
}

/** The row at a height; null: below all of them. */
export function rowAt(layout: Layout, y: number): Row | null {
	const [first, end] = rowsInSight(layout, y, y + 1);
	return first < end && y >= 0 ? layout.rows[first] : null;
}

/** The track of a thread; null if it is hidden or its process collapsed. */
export function trackOf(layout: Layout, thread: number): TrackRow | null {
	for (const row of layout.rows) {
		if (row.kind === 'track' && row.threads.includes(thread)) return row;
	}
	return null;
}

/** How high a track is that nobody made taller: few have more room, idle ones among many less. */
export function trackHeight(tracks: number, busyShare: number): number {
	if (tracks <= 1) return 150;
	if (tracks <= 3) return 84;
	if (tracks <= 8) return 52;
	if (tracks <= MANY) return busyShare < 0.005 ? 20 : 36;
	return busyShare < 0.005 ? 18 : 28;
}

const LEAST_HEIGHT = 22; // of a track that is made lower so that others are in sight

/** What the heights of tracks are multiplied by so that all rows have room, as far as that goes. */
export function fitScale(layout: Layout, room: number): number {
	let low = 0;
	for (const row of layout.rows) if (row.kind === 'track' && !row.tall) low += row.height;
	return low > 0 ? Math.max(0, Math.min(1, (room - layout.height + low) / low)) : 1;
}

export function scaledHeight(height: number, scale: number): number {
	return Math.max(Math.min(height, LEAST_HEIGHT), Math.floor(height * scale));
}

const TALL_FRAME = 15; // has room for a name
const TALL_MOST = 32; // frames; deeper stacks are cut at the top

/** Of a track with room for names, in which stacks of `depth` are not cut. */
export function tallHeight(depth: number): number {
	return Math.max(6, Math.min(TALL_MOST, depth)) * TALL_FRAME + 6;
}

/** Frames that a low track has room for: deeper samples are cut at its top. */
export function lowDepth(usual: number, deepest: number): number {
	return Math.max(usual, deepest / 3);
}

/** Pixels that a frame is high in a track: stacks of `depth` fit, and none looks like a tower. */
export function frameHeight(height: number, depth: number, tall: boolean): number {
	return tall ? TALL_FRAME : Math.min(9, (height - 4) / Math.max(1, depth));
}
