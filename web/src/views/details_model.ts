// SPDX-License-Identifier: MIT
/** What the details panel says: of a sample, of a function, of the run. */
import type { Range, State } from '../app/state.js';
import {
	type Capture,
	Flag,
	FunctionKind,
	NONE,
	SampleState,
	type Samples,
} from '../data/capture.js';
import { visible } from '../draw/text.js';
import { outermostFunctions } from '../model/forest.js';
import { modeMask, rowsIn } from '../model/samples.js';
import type { Shown } from '../model/shown.js';
import { goneRows } from '../model/spans.js';

// ---- a sample -------------------------------------------------------------------------------------

/** A frame of a stack of the capture. */
export interface StackFrame {
	readonly stack: number; // that ends in it
	readonly func: number;
	readonly line: number; // 0: not known
	readonly name: string;
	readonly path: string; // "" if it has no file
	readonly short: string;
	readonly source: string; // the text of the line, without spaces around it; "" if not known
}

const linesBySource = new WeakMap<object, readonly string[]>();

/** The text of a line of a file, "" if it is not in the page. */
export function sourceLine(capture: Capture, file: number, line: number): string {
	const source = capture.sources.get(file);
	if (!source || line <= 0) return '';
	const lines = linesBySource.get(source) ?? source.text.split('\n');
	linesBySource.set(source, lines);
	return (lines[line - 1] ?? '').trim();
}

/** Frames of a stack, innermost first. */
export function stackFrames(capture: Capture, stack: number): StackFrame[] {
	const { stacks, frames, functions, strings, places } = capture;
	const list: StackFrame[] = [];
	for (let s = stack; s !== NONE; s = stacks.parent[s]) {
		const frame = stacks.frame[s];
		const func = frames.func[frame];
		const file = functions.file[func];
		const python = functions.kind[func] === FunctionKind.Python;
		const path = python ? strings[file] : '';
		list.push({
			stack: s,
			func,
			line: frames.line[frame],
			name: strings[functions.name[func]],
			path,
			short: path === '' ? '' : (places.get(file)?.short ?? path),
			source: python ? sourceLine(capture, file, frames.line[frame]) : '',
		});
	}
	return list;
}

/** A stack as Python prints one: the outermost call first, with source where it is known. */
export function tracebackText(frames: readonly StackFrame[]): string {
	const lines = ['Traceback (most recent call last):'];
	for (const f of [...frames].reverse()) {
		if (f.path === '') {
			lines.push(`  ${visible(f.name || '?')}`);
			continue;
		}
		const where = f.line > 0 ? `, line ${f.line}` : '';
		lines.push(`  File "${visible(f.path)}"${where}, in ${visible(f.name || '?')}`);
		if (f.source !== '') lines.push(`    ${visible(f.source)}`);
	}
	return `${lines.join('\n')}\n`;
}

/** What a sample's thread was doing: "running, holds the GIL", "waiting in epoll_wait". */
export function stateWords(capture: Capture, row: number): string {
	const { state, flags, syscall } = capture.samples;
	const has = (flag: Flag): boolean => (flags[row] & flag) !== 0;
	const call = syscall[row];
	const name = call === NONE ? '' : (capture.syscalls.get(call) ?? `system call ${call}`);
	const words: Readonly<Record<number, string>> = {
		[SampleState.Unknown]: 'state not known',
		[SampleState.OnCpu]: 'running',
		[SampleState.Runnable]: 'ready to run',
		[SampleState.Waiting]: name ? `waiting in ${name}` : 'waiting',
		[SampleState.Stopped]: 'stopped',
	};
	const doing = words[state[row]] ?? 'state not known';
	if (has(Flag.InGc)) return `in GC (${doing})`;
	if (has(Flag.WaitsForGil))
		return name ? `waiting for the GIL (in ${name})` : 'waiting for the GIL';
	return has(Flag.HoldsGil) ? `${doing}, holds the GIL` : doing;
}

/** What has to be known of how a sample was taken; [] if it was read whole at its time. */
export function sampleNotes(capture: Capture, row: number): string[] {
	const flags = capture.samples.flags[row];
	const notes: string[] = [];
	if (flags & Flag.TakenOver) {
		notes.push('The stack is that of the sample before: the thread had not run since.');
	}
	if (flags & Flag.Cut) notes.push('Truncated: only the outer part of the stack is there.');
	if (flags & Flag.Unreadable) notes.push('The stack could not be read.');
	return notes;
}

const stackCounts = new WeakMap<Samples, Uint32Array>();

/** How many samples of the capture have a stack. Walks all samples once. */
export function samplesWithStack(capture: Capture, stack: number): number {
	const known = stackCounts.get(capture.samples);
	if (known) return known[stack];
	const counts = new Uint32Array(capture.stacks.count);
	const { count, stack: of } = capture.samples;
	for (let row = 0; row < count; row++) counts[of[row]]++;
	stackCounts.set(capture.samples, counts);
	return counts[stack];
}

/** "2023-11-14 22:13:20.123456 UTC": the clock at a time of the capture. */
export function clockText(capture: Capture, timeNs: number): string {
	const ns = capture.startNs + BigInt(Math.round(timeNs));
	const whole = Number(ns / 1_000_000_000n);
	const date = new Date(whole * 1000);
	if (capture.startNs <= 0n || Number.isNaN(date.getTime())) return '';
	const rest = String((ns % 1_000_000_000n) / 1000n).padStart(6, '0');
	return `${date.toISOString().slice(0, 19).replace('T', ' ')}.${rest} UTC`;
}

// ---- a function -----------------------------------------------------------------------------------

/** A function of the shown tables, or a thread, with its weight. */
export interface Weighed {
	readonly row: number;
	readonly weight: number;
}

export interface Around {
	readonly callers: readonly Weighed[]; // functions; row NONE: nobody calls it
	readonly callees: readonly Weighed[]; // functions; row NONE: the function itself
	readonly shares: readonly number[]; // of its total: on processor, runnable, waiting, other
	readonly within: Uint8Array; // by shown stack: 1 if the function is in it
}

const sorted = (sums: ReadonlyMap<number, number>): Weighed[] =>
	[...sums].map(([row, weight]) => ({ row, weight })).sort((a, b) => b.weight - a.weight);

const addTo = (sums: Map<number, number>, row: number, weight: number): void => {
	if (weight > 0) sums.set(row, (sums.get(row) ?? 0) + weight);
};

/** Who calls a function of the shown tables, and what it calls, from its outermost calls. */
export function aroundOf(shown: Shown, func: number): Around {
	const { tables, now } = shown;
	const { stackParent, stackCount } = tables;
	const { func: funcOf, outermost } = outermostFunctions(tables);
	const within = new Uint8Array(stackCount);
	const callers = new Map<number, number>();
	const callees = new Map<number, number>();
	const shares = now.shares.map(() => 0);
	for (let s = 0; s < stackCount; s++) {
		const up = stackParent[s];
		const isOutermost = funcOf[s] === func && outermost[s] === 1;
		if (isOutermost || (up !== NONE && within[up] === 1)) within[s] = 1;
		if (within[s] === 0) continue;
		now.shares.forEach((share, i) => {
			shares[i] += share[s];
		});
		if (isOutermost) {
			addTo(callers, up === NONE ? NONE : funcOf[up], now.total[s]);
			addTo(callees, NONE, now.self[s]);
		} else if (funcOf[up] === func && outermost[up] === 1) {
			addTo(callees, funcOf[s], now.total[s]);
		}
	}
	return { callers: sorted(callers), callees: sorted(callees), shares, within };
}

/** By thread: the weight of what the state selects; `within`: only of these shown stacks. */
export function threadWeights(
	capture: Capture,
	shown: Shown,
	state: State,
	range: Range,
	within: Uint8Array | null,
): Weighed[] {
	const { stack, state: states, flags, weight } = capture.samples;
	const mask = modeMask(state.mode);
	const gone = goneRows(capture, state.spans);
	const hidden = new Set(state.tracks.hidden);
	const sums = new Map<number, number>();
	for (const thread of capture.threads) {
		if (hidden.has(thread.row)) continue;
		const [first, end] = rowsIn(capture, thread.row, range);
		let sum = 0;
		for (let row = first; row < end; row++) {
			if (mask[(states[row] << 6) | flags[row]] === 0 || gone?.[row]) continue;
			const s = shown.stackOf[stack[row]];
			if (s === NONE || (within && within[s] === 0)) continue;
			sum += weight ? weight[row] : 1;
		}
		addTo(sums, thread.row, sum);
	}
	return sorted(sums);
}

// ---- the run --------------------------------------------------------------------------------------

export interface Busy {
	readonly thread: number;
	readonly samples: number; // weight
	readonly running: number; // of them on a processor or ready for one
	readonly gilWait: number;
}

export interface RunSums {
	readonly threads: readonly Busy[]; // the busiest first
	readonly samples: number;
	readonly held: number; // samples that held the GIL
	readonly waited: number; // that waited for it
	readonly gc: number;
	readonly knowsGil: boolean; // some sample says something of the GIL
}

/** Of the threads that are not hidden, in a range, whatever the mode. Walks the samples once. */
export function runSums(capture: Capture, hidden: readonly number[], range: Range): RunSums {
	const { state, flags, weight } = capture.samples;
	const gone = new Set(hidden);
	const threads: Busy[] = [];
	const all = { samples: 0, held: 0, waited: 0, gc: 0 };
	for (const thread of capture.threads) {
		if (gone.has(thread.row)) continue;
		const [first, end] = rowsIn(capture, thread.row, range);
		const busy = { thread: thread.row, samples: 0, running: 0, gilWait: 0 };
		for (let row = first; row < end; row++) {
			const w = weight ? weight[row] : 1;
			const f = flags[row];
			busy.samples += w;
			if (state[row] === SampleState.OnCpu || state[row] === SampleState.Runnable)
				busy.running += w;
			if (f & Flag.WaitsForGil) busy.gilWait += w;
			if (f & Flag.HoldsGil) all.held += w;
			if (f & Flag.InGc) all.gc += w;
		}
		all.samples += busy.samples;
		all.waited += busy.gilWait;
		if (busy.samples > 0) threads.push(busy);
	}
	threads.sort((a, b) => b.running - a.running || b.samples - a.samples || a.thread - b.thread);
	return { threads, ...all, knowsGil: all.held > 0 || all.waited > 0 };
}
