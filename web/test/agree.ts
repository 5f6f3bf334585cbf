// SPDX-License-Identifier: MIT
/**
 * Whether a page says what the commands say: for many cuts, the sums of the viewer's model and those
 * of `fireglass export`, stack by stack and function by function.
 *
 *	agree.mjs FIREGLASS CAPTURE PAGE [BASELINE]
 *
 * FIREGLASS may be given as words ("/build/fireglass", or "wrapper fireglass"). The page is that of
 * the capture (made with --baseline BASELINE if there is one); if it was made with --threads, so are
 * the exports. Ends with 1 and the first differences if something is not the same.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { INITIAL, type Mode, type State, type Transform } from '../src/app/state.js';
import { type Capture, FunctionKind, NONE } from '../src/data/capture.js';
import { decodeCapture } from '../src/data/decode.js';
import { joinCaptures } from '../src/data/join.js';
import { fromBase64, gunzip } from '../src/data/unpack.js';
import { functionSums } from '../src/model/functions.js';
import { Shower } from '../src/model/show.js';
import type { Shown, Side } from '../src/model/shown.js';
import { makeTree } from '../src/model/tree.js';
import { makeRandom } from './random.js';

const [FIREGLASS, CAPTURE, PAGE, BASELINE] = process.argv.slice(2);
const GRANULARITIES = ['lines', 'functions', 'files', 'modules'] as const;

async function load(id: string): Promise<Capture | null> {
	const page = readFileSync(PAGE, 'utf8');
	const found = new RegExp(`<script[^>]* id="${id}"[^>]*>([^<]*)</script>`).exec(page);
	return found ? decodeCapture(await gunzip(fromBase64(found[1]))) : null;
}

function run(file: string, format: string, options: readonly string[]): string {
	const [program, ...words] = FIREGLASS.split(' ');
	const args = [...words, 'export', file, '-f', format, '-o', '-', ...options];
	// a selection of nothing is said on standard error
	return execFileSync(program, args, {
		encoding: 'utf8',
		maxBuffer: 2 ** 30,
		stdio: ['ignore', 'pipe', 'ignore'],
	});
}

const unescaped = (text: string): string =>
	text.replace(/\\x([0-9a-fA-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));

type Sums = Map<string, number>;

function parseFolded(text: string): Sums {
	const sums: Sums = new Map();
	for (const line of text.split('\n')) {
		const at = line.lastIndexOf(' ');
		if (at > 0) sums.set(unescaped(line.slice(0, at)), Number(line.slice(at + 1)));
	}
	return sums;
}

/** As export/label.c. */
function labels(shown: Shown, lines: 'lines' | 'functions' | null): string[] {
	const { tables } = shown;
	return Array.from({ length: tables.frameCount }, (_, frame) => {
		const func = tables.frameFunc[frame];
		const name = tables.funcName[func] || '?';
		const file = tables.funcFile[func];
		if (tables.funcKind[func] !== FunctionKind.Python || !file) return name;
		const line = lines === 'lines' ? tables.frameLine[frame] : tables.funcLine[func];
		return `${name} (${file}${line && lines ? `:${line}` : ''})`;
	});
}

function foldedOf(shown: Shown, side: Side, lines: 'lines' | 'functions' | null): Sums {
	const { stackParent, stackFrame, stackCount } = shown.tables;
	const texts = labels(shown, lines);
	const paths: string[] = [];
	const sums: Sums = new Map();
	for (let s = 0; s < stackCount; s++) {
		const up = stackParent[s];
		const own = texts[stackFrame[s]];
		paths[s] = up === NONE ? own : `${paths[up]};${own}`;
		if (side.self[s] > 0) sums.set(paths[s], (sums.get(paths[s]) ?? 0) + side.self[s]);
	}
	return sums;
}

let cuts = 0;
let samples = 0;
const failures: string[] = [];

function compare(what: string, ours: Sums, theirs: Sums): void {
	cuts++;
	const wrong: string[] = [];
	for (const [path, weight] of theirs) {
		samples += weight;
		if (ours.get(path) !== weight) wrong.push(`${ours.get(path) ?? 0}, not ${weight}: ${path}`);
	}
	for (const [path, weight] of ours) if (!theirs.has(path)) wrong.push(`${weight}, not 0: ${path}`);
	if (wrong.length)
		failures.push(`${what}: ${wrong.length} stacks\n\t${wrong.slice(0, 4).join('\n\t')}`);
}

/** A number of the text, in nanoseconds or as a count, and by how much it is rounded. */
interface Read {
	readonly value: number;
	readonly error: number;
}

const UNITS: Readonly<Record<string, number>> = { s: 1e9, ms: 1e6, us: 1e3, ns: 1 };
const NUMBER = /^ *(-|([\d ]*\d(?:\.(\d+))?)(?: (s|ms|us|ns))?) +(?:[\d.]+%)? */;

function readNumber(found: RegExpExecArray): Read {
	if (found[1] === '-') return { value: 0, error: 0 };
	const unit = UNITS[found[4] ?? 'ns'];
	const error = found[4] ? (unit / 10 ** (found[3]?.length ?? 0)) * 0.501 : 0;
	return { value: Number(found[2].replace(/ /g, '')) * unit, error };
}

/** Rows of a table of functions. */
function parseText(text: string): { self: Read; total: Read; row: string }[] {
	return text.split('\n').flatMap((row) => {
		const self = NUMBER.exec(row);
		const total = self && NUMBER.exec(row.slice(self[0].length));
		return self && total ? [{ self: readNumber(self), total: readNumber(total), row }] : [];
	});
}

/** Functions by self time, as the text has them, rounded as they are there. */
function compareText(what: string, shown: Shown, text: string): void {
	cuts++;
	const { self, total } = functionSums(shown);
	const ours = [...total.keys()]
		.filter((f) => self[f] > 0)
		.sort((a, b) => self[b] - self[a] || total[b] - total[a]);
	const table = text.split('By self time')[1]?.split('By total time')[0] ?? '';
	const theirs = parseText(table);
	const each = shown.periodNs || 1;
	if (theirs.length !== ours.length) {
		failures.push(`${what}: ${ours.length} functions, not ${theirs.length}`);
		return;
	}
	const wrong = theirs.filter((row, i) => {
		const close = (read: Read, own: number): boolean =>
			Math.abs(read.value - own * each) <= read.error;
		return !close(row.self, self[ours[i]]) || !close(row.total, total[ours[i]]);
	});
	if (wrong.length) failures.push(`${what}: ${wrong.length} functions: ${wrong[0].row}`);
}

interface Cut {
	readonly patch: Partial<State>;
	readonly options: readonly string[];
}

const state = (patch: Partial<State>): State => ({ ...INITIAL, ...patch });

interface Bench {
	readonly capture: Capture;
	readonly shower: Shower;
	readonly always: readonly string[]; // options of all exports
}

const escapeRegex = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** Functions that a pattern can tell from all others, with the pattern. */
function patterns(c: Capture): { func: number; regex: string }[] {
	const found = new Map<string, number[]>();
	for (let func = 0; func < c.functions.count; func++) {
		const name = c.strings[c.functions.name[func]];
		const file = c.strings[c.functions.file[func]];
		// what frames are matched on has their line, which may be any
		const regex = `^${escapeRegex(name)}${file ? ` \\(${escapeRegex(file)}[:)]` : '$'}`;
		found.set(regex, [...(found.get(regex) ?? []), func]);
	}
	// threads and marks are put there after patterns were matched
	const python = (func: number): boolean => c.functions.kind[func] === FunctionKind.Python;
	return [...found]
		.filter(([, funcs]) => funcs.length === 1 && python(funcs[0]))
		.map(([regex, [func]]) => ({ regex, func }));
}

const OPTION = { only: '--focus', drop: '--ignore', focus: '--root', merge: '--hide' } as const;
const ORDER = ['only', 'drop', 'focus', 'merge'] as const; // patterns see stacks as recorded

function randomTransforms(random: (n: number) => number, known: ReturnType<typeof patterns>): Cut {
	const transforms: Transform[] = [];
	const options: string[] = [];
	const used = new Set<number>();
	for (const kind of ORDER) {
		if (random(3) !== 0) continue;
		const { func, regex } = known[random(known.length)];
		// of two steps for one function the second has nothing left to do, the option has
		if (used.has(func)) continue;
		used.add(func);
		transforms.push({ kind, func });
		options.push(OPTION[kind], regex);
	}
	if (random(3) === 0) {
		transforms.push({ kind: 'recursion', func: NONE });
		options.push('--collapse-recursion');
	}
	return { patch: { transforms }, options };
}

function randomThreads(random: (n: number) => number, c: Capture): Cut {
	const named = c.threads.filter((t) => t.name !== '');
	if (random(3) !== 0 || named.length === 0) return { patch: {}, options: [] };
	const { name } = named[random(named.length)];
	const hidden = c.threads.filter((t) => t.name !== name).map((t) => t.row);
	return {
		patch: { tracks: { ...INITIAL.tracks, hidden } },
		options: ['--thread', `^${escapeRegex(name)}$`],
	};
}

const seconds = (ns: number): string =>
	`${Math.floor(ns / 1e9)}.${String(ns % 1e9).padStart(9, '0')}s`;

function randomRange(random: (n: number) => number, c: Capture): Cut {
	if (!c.timed || c.durationNs === 0 || random(2) === 0) return { patch: {}, options: [] };
	const from = random(c.durationNs);
	const to = from + 1 + random(c.durationNs - from);
	return {
		patch: { ranges: [{ from, to }] },
		options: ['--from', seconds(from), '--to', seconds(to)],
	};
}

function check(b: Bench, cut: Cut, mode: Mode, granularity: State['granularity']): void {
	const shown = b.shower.show(state({ ...cut.patch, mode, granularity }));
	const options = [...b.always, `--${mode}`, `--${granularity}`, ...cut.options];
	const lines = granularity === 'lines' ? 'lines' : 'functions';
	const ours = foldedOf(shown, shown.now, lines);
	compare(options.join(' '), ours, parseFolded(run(CAPTURE, 'folded', options)));
	if (granularity !== 'lines') {
		const text = run(CAPTURE, 'text', [...options, '--rows', '1000000']);
		compareText(`text ${options.join(' ')}`, shown, text);
	}
	const tree = makeTree(shown, cuts % 2 === 0);
	if (tree.sum !== shown.now.sum) failures.push(`${options.join(' ')}: sum of the tree`);
}

/** What no option selects: the rest of what --cpu does. */
function checkIdle(b: Bench): void {
	const sum = (mode: Mode): number => b.shower.show(state({ mode })).now.sum;
	if (sum('cpu') + sum('idle') !== sum('wall')) failures.push('idle and cpu are not all');
}

function checkAll(b: Bench): void {
	const random = makeRandom(11);
	const known = patterns(b.capture);
	for (const mode of ['wall', 'cpu', 'gil'] as const) {
		for (const granularity of GRANULARITIES) {
			check(b, { patch: {}, options: [] }, mode, granularity);
			for (let i = 0; i < 8 && known.length > 0; i++) {
				const parts = [
					randomTransforms(random, known),
					randomThreads(random, b.capture),
					randomRange(random, b.capture),
				];
				const patch = Object.assign({}, ...parts.map((part) => part.patch));
				check(b, { patch, options: parts.flatMap((part) => part.options) }, mode, granularity);
			}
		}
	}
	checkIdle(b);
}

/** The other side: by names and files, as functions may have moved. */
function checkBaseline(b: Bench): void {
	for (const granularity of ['functions', 'files', 'modules'] as const) {
		const shown = b.shower.show(state({ granularity }));
		const options = [...b.always, `--${granularity}`, '--no-lines'];
		const theirs = parseFolded(run(BASELINE, 'folded', options));
		const scaled = (b.shower.baseline?.periodNs || 1) / (b.capture.periodNs || 1);
		for (const [path, weight] of theirs) theirs.set(path, weight * scaled);
		if (!shown.before) failures.push('there is no other side');
		else compare(`baseline --${granularity}`, foldedOf(shown, shown.before, null), theirs);
	}
}

async function main(): Promise<number> {
	const capture = await load('capture');
	const baseline = await load('baseline');
	if (!capture) throw new Error('no capture in the page');
	const joined = baseline ? joinCaptures(capture, baseline) : { now: capture, before: null };
	const roots = capture.facts.get('selection')?.includes('--threads');
	const bench: Bench = {
		capture: joined.now,
		shower: new Shower(joined.now, joined.before),
		always: roots ? ['--threads'] : [],
	};
	checkAll(bench);
	if (joined.before && BASELINE) checkBaseline(bench);
	console.log(`${cuts} cuts of ${capture.samples.count} samples, ${samples} of them in stacks`);
	for (const failure of failures.slice(0, 20)) console.log(failure);
	if (failures.length) console.log(`${failures.length} cuts are not the same`);
	return failures.length ? 1 : 0;
}

process.exitCode = await main();
