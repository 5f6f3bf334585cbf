// SPDX-License-Identifier: MIT
/** What the timeline says in words: tips, and the text for those who do not see the picture. */
import type { Range } from '../app/state.js';
import { type Marker, NONE } from '../data/capture.js';
import { visible } from '../draw/text.js';
import { KINDS, Kind, makeMix, mixIn, placeAt } from '../model/pyramid.js';
import { rowsIn } from '../model/samples.js';
import { formatCount, formatNumber, formatPercent, formatTime } from '../ui/format.js';
import { momentText } from './timeline_axis.js';
import type { ColumnFrame } from './timeline_boxes.js';
import { lostAfter } from './timeline_paint.js';
import type { Timeline } from './timeline_parts.js';
import { endOf, KIND_NAMES, type Track } from './timeline_series.js';

/** "worker-3", or its number if it has no name. */
export function threadName(t: Timeline, thread: number): string {
	const { name, tid } = t.capture.threads[thread];
	return name === '' ? `thread ${tid}` : visible(name.slice(0, 200));
}

/** "worker-3 and 4 more". */
export function trackName(t: Timeline, threads: readonly number[]): string {
	const name = threadName(t, threads[0]);
	return threads.length > 1 ? `${name} (${threads.length} threads)` : name;
}

export function processName(t: Timeline, process: number): string {
	const { name, pid } = t.capture.processes[process];
	const short = visible(name.slice(0, 200));
	return short === '' ? `process ${pid}` : `${short} (${pid})`;
}

export function moment(t: Timeline, ns: number): string {
	return momentText(ns, t.window.to - t.window.from, t.capture.durationNs);
}

/** "name (file.py:12)" of the frame at the leaf of a stack; `line`: whether its line matters. */
export function frameText(t: Timeline, stack: number, line = true): string {
	const { stacks, frames, functions, strings, places } = t.capture;
	const frame = stacks.frame[stack];
	const func = frames.func[frame];
	const name = visible(strings[functions.name[func]].slice(0, 200));
	const file = functions.file[func];
	const short = visible((places.get(file)?.short ?? strings[file]).slice(0, 200));
	if (short === '') return name;
	const at = line && frames.line[frame] > 0 ? `:${frames.line[frame]}` : '';
	return `${name} (${short}${at})`;
}

/** What a sample was doing: its kind, and a system call if it waits in one. */
export function doing(t: Timeline, row: number): string {
	const { samples, syscalls } = t.capture;
	const kind = KIND_NAMES[t.drawn.kind[row]];
	const call = samples.syscall[row];
	const holds = t.drawn.kind[row] === Kind.Waiting && (samples.flags[row] & 1) !== 0;
	const words = holds ? `${kind}, holds the GIL` : kind;
	return call === NONE ? words : `${words}, in ${syscalls.get(call) ?? `system call ${call}`}`;
}

/**
 * Of one sample: for a tip, and to be read out. `at`: its stack cut at the frame that is pointed at;
 * NONE: the whole of it.
 */
export function sampleLines(t: Timeline, row: number, at: number): string[] {
	const { samples, stacks } = t.capture;
	const stack = samples.stack[row];
	const lines = [frameText(t, at === NONE ? stack : at)];
	if (at !== NONE && at !== stack) lines.push(`in it: ${frameText(t, stack)}`);
	const common = t.lights.common?.[stack] ?? 0;
	lines.push(
		`${moment(t, samples.timeNs[row])} \u00b7 ${threadName(t, samples.thread[row])}`,
		doing(t, row),
	);
	if (common > 0 && row !== t.app.state.sample) {
		lines.push(`${common} of ${stacks.depth[stack]} frames in common with the selected sample`);
	}
	return lines;
}

/** Of a column of many samples, and of a frame in it if there is one. */
export function mixLines(
	t: Timeline,
	track: Track,
	from: number,
	to: number,
	frame: ColumnFrame,
): string[] {
	const mix = makeMix();
	mixIn(track.series, track.pyramid, from, to, mix);
	const times = track.series.timeNs;
	const span = `${moment(t, times[from])} to ${moment(t, times[to - 1])}`;
	const lines: string[] = [];
	if (frame.stack !== NONE) {
		const share = frame.share === 1 ? 'all' : formatPercent(frame.share);
		lines.push(frameText(t, frame.stack, false), `in ${share} of:`);
	}
	lines.push(`${formatCount(to - from)} samples, ${span}`);
	for (let k = 0; k < KINDS; k++) {
		if (mix.weights[k] <= 0) continue;
		lines.push(`${formatPercent(mix.weights[k] / mix.weight)} ${KIND_NAMES[k]}`);
	}
	const mean = (mix.depthSum / mix.weight).toFixed(1);
	lines.push(`frames: ${mean} on average, ${mix.deepest} at most`);
	return lines;
}

/** Where a track has no samples between others; null where there is nothing to say. */
export function gapLines(t: Timeline, track: Track, atNs: number): string[] | null {
	const { series } = track;
	const next = placeAt(series, atNs);
	if (next === 0 || next >= series.count) return null;
	const from = series.many ? series.timeNs[next - 1] : endOf(series, next - 1, t.tickPeriodNs);
	const lines = [`no samples from ${moment(t, from)} to ${moment(t, series.timeNs[next])}`];
	if (lostAfter(series, next - 1, t.lossesNs)) lines.push('ticks were lost there');
	return lines;
}

export function markerLines(t: Timeline, markers: readonly Marker[]): string[] {
	const lines: string[] = [];
	for (const marker of markers.slice(0, 6)) {
		const what = visible(`${marker.name} ${marker.text}`.trim().slice(0, 200));
		const long =
			marker.endNs > marker.startNs ? ` \u00b7 ${formatTime(marker.endNs - marker.startNs)}` : '';
		const who = marker.thread === NONE ? '' : ` \u00b7 ${threadName(t, marker.thread)}`;
		lines.push(`${what}${long}${who}`, `from ${moment(t, marker.startNs)}`);
	}
	if (markers.length > 6) lines.push(`and ${markers.length - 6} more`);
	return lines;
}

/** Of a range: from, to, how long, how many samples of the threads that are not hidden. */
export function rangeLines(t: Timeline, range: Range): string[] {
	const hidden = new Set(t.app.state.tracks.hidden);
	let count = 0;
	for (const thread of t.capture.threads) {
		if (thread.count === 0 || hidden.has(thread.row)) continue;
		const [first, end] = rowsIn(t.capture, thread.row, range);
		count += end - first;
	}
	return [
		`${moment(t, range.from)} to ${moment(t, range.to)}`,
		`${formatTime(range.to - range.from)}, ${formatNumber(count, 'sample')}`,
	];
}

/** Ticks lost near a time; null if there are none. */
export function lossLines(t: Timeline, atNs: number, slackNs: number): string[] | null {
	const near = t.capture.losses.filter((l) => Math.abs(l.timeNs - atNs) <= slackNs);
	if (near.length === 0) return null;
	const words = { missed: 'missed', 'no room': 'lost: no room', 'no space': 'lost: no space' };
	return near
		.slice(0, 5)
		.map((l) => `${formatNumber(l.count, 'tick')} ${words[l.kind]}, by ${moment(t, l.timeNs)}`);
}

/** One sentence on the whole, for the label of the picture. */
export function summary(t: Timeline): string {
	const { capture } = t;
	const counted = capture.threads.filter((thread) => thread.count > 0).length;
	const { window: w } = t;
	const all = w.from <= 0 && w.to >= capture.durationNs;
	const shown = all ? 'all of it' : `${moment(t, w.from)} to ${moment(t, w.to)}`;
	return (
		`Timeline: ${formatNumber(capture.samples.count, 'sample')} of ${formatNumber(counted, 'thread')} in ` +
		`${formatTime(capture.durationNs)}; shown: ${shown}. Arrow keys go from sample to sample.`
	);
}
