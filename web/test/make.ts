// SPDX-License-Identifier: MIT
/**
 * Captures from a few readable lines, for tests.
 *
 *	makeCapture({ threads: [{ name: 'Main', samples: ['main;work:12', 'main;idle ! wait'] }] })
 *
 * A sample is frames, the root first, and words after " ! ". A frame is
 *	name            a function of app.py, no line
 *	name:12         at that line
 *	name@pkg/x.py:3 of another file; "name@" has none
 *	(name)          a mark
 *	#name           a thread or process as root
 * Words: cpu (the default), ready, wait, stop, unknown; gil, gilwait, gc, cut, unread, taken;
 * @7.5 (time in ms; default: a period after the sample before), x3 (weight), cpu=500 (ns), sys=7.
 * "5 * main;work" is five such samples.
 */
import {
	type Capture,
	type Flag,
	FunctionKind,
	type Loss,
	type Marker,
	NONE,
	type Place,
	type Process,
	type SampleState,
	type Thread,
} from '../src/data/capture.js';

export interface ThreadLines {
	readonly name?: string; // default: "thread 0", ...
	readonly process?: number; // row; default 0
	readonly tid?: number; // default: 100 + row
	readonly main?: boolean; // default: the first one is
	readonly startMs?: number;
	readonly endMs?: number | null;
	readonly samples: readonly string[];
}

export interface CaptureLines {
	readonly threads: readonly ThreadLines[];
	readonly title?: string;
	readonly facts?: Readonly<Record<string, string>>;
	readonly periodNs?: number; // default 1e6
	readonly unit?: string;
	readonly startNs?: bigint;
	readonly durationNs?: number; // default: a period after the last sample
	readonly processes?: readonly { pid?: number; name?: string; command?: string }[];
	readonly markers?: readonly Partial<Marker>[];
	readonly losses?: readonly Loss[];
	readonly syscalls?: Readonly<Record<number, string>>;
	readonly sources?: Readonly<Record<string, string>>; // by file; "text" or "note|text" with note
	readonly firstLines?: Readonly<Record<string, number>>; // of functions, by name; default 1
	readonly places?: Readonly<Record<string, Place>>; // by file; default: told by the path
}

const STATES: Readonly<Record<string, SampleState>> = {
	unknown: 0,
	cpu: 1,
	ready: 2,
	wait: 3,
	stop: 4,
};
const FLAGS: Readonly<Record<string, Flag>> = {
	gil: 1,
	gilwait: 2,
	gc: 4,
	cut: 8,
	unread: 16,
	taken: 32,
};

interface Row {
	thread: number;
	timeNs: number;
	stack: number;
	state: number;
	flags: number;
	cpuNs: number;
	syscall: number;
	weight: number;
}

/** Rows of equal texts are one row. */
class Table {
	readonly rows: string[] = [];
	private readonly index = new Map<string, number>();
	row(text: string): number {
		const known = this.index.get(text);
		if (known !== undefined) return known;
		this.index.set(text, this.rows.length);
		return this.rows.push(text) - 1;
	}
}

/** As store/place.c, as far as tests need it. */
export function placeOf(file: string): Place {
	const at = /^(.*\/)?((?:site|dist)-packages\/|lib(?:64)?\/python[0-9.]*t?\/)(.*)$/.exec(file);
	const short = at?.[3] ? at[3] : file;
	const first = short.split('/')[0];
	const module = short.includes('/') ? first : first.replace(/(.)\..*$/, '$1');
	if (!at) return { short, module, kind: 'own' };
	return { short, module, kind: at[2].includes('-packages') ? 'package' : 'stdlib' };
}

interface Tables {
	strings: Table;
	functions: Table; // name, file, line, kind
	frames: Table; // function, line
	stacks: Table; // parent, frame
	firstLines: Readonly<Record<string, number>>;
}

function frameOf(t: Tables, text: string): number {
	let name = text;
	let file = 'app.py';
	let line = 0;
	let kind = FunctionKind.Python;
	if (/^\(.*\)$/.test(text)) {
		kind = FunctionKind.Mark;
	} else if (text.startsWith('#')) {
		kind = FunctionKind.Thread;
		name = text.slice(1);
	} else {
		const parts = /^(.*?)(?:@([^:]*))?(?::(\d+))?$/s.exec(text);
		name = parts?.[1] ?? text;
		file = parts?.[2] ?? file;
		line = Number(parts?.[3] ?? 0);
	}
	const plain = kind !== FunctionKind.Python;
	const first = plain ? 0 : (t.firstLines[name] ?? 1);
	const row = [t.strings.row(name), t.strings.row(plain ? '' : file), first, kind];
	return t.frames.row([t.functions.row(row.join()), line].join());
}

function stackOf(t: Tables, text: string): number {
	let stack = NONE;
	for (const frame of text.split(';')) stack = t.stacks.row([stack, frameOf(t, frame)].join());
	return stack;
}

function applyWord(row: Row, word: string): void {
	if (word in STATES) row.state = STATES[word];
	else if (word in FLAGS) row.flags |= FLAGS[word];
	else if (word.startsWith('@')) row.timeNs = Number(word.slice(1)) * 1e6;
	else if (word.startsWith('x')) row.weight = Number(word.slice(1));
	else if (word.startsWith('cpu=')) row.cpuNs = Number(word.slice(4));
	else if (word.startsWith('sys=')) row.syscall = Number(word.slice(4));
	else if (word !== '') throw new Error(`not a word of a sample: ${word}`);
}

function samplesOf(t: Tables, thread: number, lines: readonly string[], periodNs: number): Row[] {
	const rows: Row[] = [];
	let next = 0;
	for (const line of lines) {
		const parts = /^(?:(\d+) \* )?(.*?)(?: ! (.*))?$/s.exec(line);
		for (let i = Number(parts?.[1] ?? 1); i > 0; i--) {
			const row: Row = {
				thread,
				timeNs: next,
				stack: stackOf(t, parts?.[2] ?? ''),
				state: 1,
				flags: 0,
				cpuNs: 0,
				syscall: NONE,
				weight: 1,
			};
			for (const word of (parts?.[3] ?? '').split(' ')) applyWord(row, word);
			next = row.timeNs + (periodNs || 1e6);
			rows.push(row);
		}
	}
	return rows;
}

const split = (rows: readonly string[]): number[][] =>
	rows.map((row) => row.split(',').map(Number));

function tablesOf(t: Tables): Pick<Capture, 'functions' | 'frames' | 'stacks'> {
	const functions = split(t.functions.rows);
	const frames = split(t.frames.rows);
	const stacks = split(t.stacks.rows);
	const depth = new Uint16Array(stacks.length);
	stacks.forEach(([parent], s) => {
		depth[s] = parent === NONE ? 1 : depth[parent] + 1;
	});
	return {
		functions: {
			count: functions.length,
			name: Uint32Array.from(functions, (f) => f[0]),
			file: Uint32Array.from(functions, (f) => f[1]),
			line: Uint32Array.from(functions, (f) => f[2]),
			kind: Uint8Array.from(functions, (f) => f[3]),
		},
		frames: {
			count: frames.length,
			func: Uint32Array.from(frames, (f) => f[0]),
			line: Uint32Array.from(frames, (f) => f[1]),
		},
		stacks: {
			count: stacks.length,
			parent: Int32Array.from(stacks, (s) => s[0]),
			frame: Uint32Array.from(stacks, (s) => s[1]),
			depth,
		},
	};
}

function columnsOf(rows: readonly Row[]): Capture['samples'] {
	const weighted = rows.some((row) => row.weight !== 1);
	return {
		count: rows.length,
		thread: Uint32Array.from(rows, (row) => row.thread),
		timeNs: Float64Array.from(rows, (row) => row.timeNs),
		stack: Uint32Array.from(rows, (row) => row.stack),
		state: Uint8Array.from(rows, (row) => row.state),
		flags: Uint8Array.from(rows, (row) => row.flags),
		cpuNs: Float64Array.from(rows, (row) => row.cpuNs),
		syscall: Int16Array.from(rows, (row) => row.syscall),
		weight: weighted ? Float64Array.from(rows, (row) => row.weight) : null,
		span: null,
	};
}

function processesOf(lines: CaptureLines): Process[] {
	return (lines.processes ?? [{}]).map((p, row) => ({
		row,
		pid: p.pid ?? 10 + row,
		name: p.name ?? `program ${row}`,
		command: p.command ?? '',
		startNs: 0,
		endNs: null,
	}));
}

function markersOf(lines: CaptureLines): Marker[] {
	return (lines.markers ?? []).map((m) => ({
		startNs: m.startNs ?? 0,
		endNs: m.endNs ?? m.startNs ?? 0,
		thread: m.thread ?? NONE,
		process: m.process ?? NONE,
		name: m.name ?? 'marker',
		text: m.text ?? '',
	}));
}

function sourcesOf(lines: CaptureLines, strings: Table): Capture['sources'] {
	return new Map(
		Object.entries(lines.sources ?? {}).map(([file, text]) => {
			const parts = /^(?:([^|\n]*)\|)?(.*)$/s.exec(text);
			return [strings.row(file), { text: parts?.[2] ?? '', note: parts?.[1] ?? '' }];
		}),
	);
}

/** See the top of this file. Throws on a word that is none. */
export function makeCapture(lines: CaptureLines): Capture {
	const periodNs = lines.periodNs ?? 1e6;
	const t: Tables = {
		strings: new Table(),
		functions: new Table(),
		frames: new Table(),
		stacks: new Table(),
		firstLines: lines.firstLines ?? {},
	};
	t.strings.row('');
	const rows: Row[] = [];
	const threads: Thread[] = lines.threads.map((thread, row) => {
		const own = samplesOf(t, row, thread.samples, periodNs);
		const first = rows.length;
		for (const sample of own) rows.push(sample);
		return {
			row,
			process: thread.process ?? 0,
			tid: thread.tid ?? 100 + row,
			name: thread.name ?? `thread ${row}`,
			main: thread.main ?? row === 0,
			startNs: (thread.startMs ?? 0) * 1e6,
			endNs: thread.endMs == null ? null : thread.endMs * 1e6,
			first,
			count: own.length,
		};
	});
	const sources = sourcesOf(lines, t.strings);
	const tables = tablesOf(t);
	const files = new Set(tables.functions.file);
	const last = rows.reduce((most, row) => Math.max(most, row.timeNs), 0);
	return {
		title: lines.title ?? 'a test',
		facts: new Map(Object.entries(lines.facts ?? {})),
		periodNs,
		unit: lines.unit ?? 'samples',
		timed: true,
		startNs: lines.startNs ?? 1_700_000_000_000_000_000n,
		durationNs: lines.durationNs ?? last + periodNs,
		strings: t.strings.rows,
		processes: processesOf(lines),
		threads,
		markers: markersOf(lines),
		losses: lines.losses ?? [],
		spans: [],
		places: new Map(
			[...files]
				.filter((file) => t.strings.rows[file] !== '')
				.map((file) => {
					const path = t.strings.rows[file];
					return [file, lines.places?.[path] ?? placeOf(path)];
				}),
		),
		sources,
		syscalls: new Map(
			Object.entries(lines.syscalls ?? {}).map(([number, name]) => [Number(number), name]),
		),
		...tables,
		samples: columnsOf(rows),
	};
}
