// SPDX-License-Identifier: MIT
/** Rows of table and call tree, details of samples and functions, sums of the trust panel. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INITIAL, type State } from '../src/app/state.js';
import { type Capture, NONE } from '../src/data/capture.js';
import { Shower } from '../src/model/show.js';
import type { Shown } from '../src/model/shown.js';
import { makeTree, type Tree } from '../src/model/tree.js';
import {
	aroundOf,
	runSums,
	sampleNotes,
	samplesWithStack,
	stackFrames,
	stateWords,
	threadWeights,
	tracebackText,
} from '../src/views/details_model.js';
import { funcAtLine, openFile, outlineOf, stepHot } from '../src/views/source_model.js';
import {
	makeFilter,
	orderRows,
	placeText,
	readOrder,
	tableRows,
} from '../src/views/table_model.js';
import { differenceText, sureness, sureText } from '../src/views/table_numbers.js';
import { tsvOf } from '../src/views/table_text.js';
import {
	closeNode,
	findNode,
	listRows,
	makeOpen,
	openAll,
	openHottest,
	openNode,
	pathTo,
} from '../src/views/tree_rows.js';
import {
	chances,
	keptSamples,
	lossBins,
	rungAccounts,
	sampleAccounts,
	smallestSeen,
	tickAccounts,
	verdict,
} from '../src/views/trust_model.js';
import { makeCapture } from './make.js';

const state = (patch: Partial<State>): State => ({ ...INITIAL, ...patch });
const show = (c: Capture, patch: Partial<State> = {}, before: Capture | null = null): Shown =>
	new Shower(c, before).show(state(patch));
const oneThread = (...samples: string[]): Capture => makeCapture({ threads: [{ samples }] });

// ---- table ----------------------------------------------------------------------------------------

function names(shown: Shown, filter: string, sort: string, lines = false): string[] {
	const rows = tableRows(shown, lines);
	return Array.from(orderRows(shown, rows, filter, sort, 'samples'), (row) => {
		const line = rows.line[row];
		return shown.tables.funcName[rows.func[row]] + (line ? `:${line}` : '');
	});
}

const PROGRAM = oneThread(
	'5 * main:1;work:7;leaf@lib/x.py:3',
	'3 * main:1;work:8',
	'2 * main:2;Zebra:4',
	'main:1;work:7;leaf@lib/x.py:4;work:8',
);

test('rows are sorted by each column, both ways', () => {
	const shown = show(PROGRAM);
	assert.deepEqual(names(shown, '', 'self'), ['leaf', 'work', 'Zebra', 'main']);
	assert.deepEqual(names(shown, '', '-self'), ['main', 'Zebra', 'work', 'leaf']);
	assert.deepEqual(names(shown, '', 'total'), ['main', 'work', 'leaf', 'Zebra']);
	assert.deepEqual(names(shown, '', 'name'), ['leaf', 'main', 'work', 'Zebra']);
	assert.deepEqual(names(shown, '', '-name'), ['Zebra', 'work', 'main', 'leaf']);
	assert.equal(names(shown, '', '-file')[0], 'leaf');
	assert.deepEqual(names(shown, '', 'nonsense'), names(shown, '', 'self'));
	assert.deepEqual(readOrder('-selfdiff'), { key: 'selfdiff', reversed: true });
	assert.deepEqual(readOrder('__proto__'), { key: 'self', reversed: false });
});

test('recursion counts once in the total of a row', () => {
	const shown = show(PROGRAM);
	const rows = tableRows(shown, false);
	const work = shown.tables.funcName.indexOf('work');
	assert.equal(rows.total[Array.from(rows.func).indexOf(work)], 9);
});

test('lines are rows of their own, with their sums', () => {
	const shown = show(PROGRAM, { granularity: 'lines' });
	assert.deepEqual(names(shown, '', 'self', true).slice(0, 3), ['leaf:3', 'work:8', 'Zebra:4']);
	const rows = tableRows(shown, true);
	const self = rows.self.reduce((a, b) => a + b, 0);
	assert.equal(self, shown.now.sum);
	const at = Array.from(rows.line).findIndex((line, row) => line === 3 && rows.self[row] === 5);
	assert.equal(placeText(shown, rows, at), 'lib/x.py:3');
});

test('a filter is text, or an expression between slashes; a broken one is text', () => {
	const shown = show(PROGRAM);
	assert.deepEqual(names(shown, 'WOR', 'self'), ['work']);
	assert.deepEqual(names(shown, 'lib/x', 'self'), ['leaf']);
	assert.deepEqual(names(shown, '/^(work|main) /', 'self'), ['work', 'main']);
	assert.deepEqual(names(shown, 'w.rk', 'self'), []);
	assert.deepEqual(names(shown, '/(/', 'self'), []);
	assert.notEqual(makeFilter('/(/').error, '');
	assert.equal(makeFilter('/(a)/').error, '');
});

test('differences are sorted with their sign', () => {
	const before = oneThread('8 * main;work', '2 * main;leaf');
	const c = oneThread('2 * main;work', '8 * main;leaf');
	const shown = show(c, { compare: { from: 0, to: 5e6 }, ranges: [{ from: 5e6, to: 10e6 }] });
	assert.deepEqual(names(shown, '', 'selfdiff'), ['leaf', 'main', 'work']);
	assert.deepEqual(names(shown, '', '-selfdiff'), ['work', 'main', 'leaf']);
	assert.equal(before.samples.count, 10);
});

test('few samples look unsure, many do not', () => {
	const side = (samples: number) => ({ ...show(PROGRAM).now, sum: samples, samples });
	assert.equal(sureness(3, side(10000)).unsure, true);
	assert.equal(sureness(3000, side(10000)).unsure, false);
	assert.match(sureText(sureness(30, side(10000))), /^0\.3\u00b10\.1 %$/);
	assert.equal(sureText(sureness(5000, side(10000))), '50.0 %');
	assert.equal(sureText(sureness(1, side(1000000))), '<0.1 %');
});

test('a difference is said in the unit', () => {
	const c = oneThread('2 * main;work', '8 * main;leaf');
	const shown = show(c, { compare: { from: 0, to: 5e6 }, ranges: [{ from: 5e6, to: 10e6 }] });
	assert.equal(differenceText(5, 3, shown, 'samples'), '+2');
	assert.equal(differenceText(3, 5, shown, 'time'), '\u22122.00 ms');
	assert.equal(differenceText(5, 3, shown, 'percent'), '+40.0 pp');
	assert.equal(differenceText(3, 3, shown, 'samples'), '0');
});

test('copied rows are cells of a table, whatever the names hold', () => {
	const c = oneThread('=cmd\tx@a.py;b\ny@a.py', 'plain');
	const shown = show(c);
	const rows = tableRows(shown, false);
	const order = orderRows(shown, rows, '', 'name', 'samples');
	const lines = tsvOf(shown, rows, order).trimEnd().split('\n');
	assert.equal(lines.length, 1 + rows.count);
	const width = lines[0].split('\t').length;
	for (const line of lines) assert.equal(line.split('\t').length, width);
	assert.ok(lines.some((line) => line.includes("'=cmd\\x09x")));
});

// ---- call tree ------------------------------------------------------------------------------------

function treeOf(c: Capture, inverted = false): { tree: Tree; name: (node: number) => string } {
	const shown = show(c);
	const tree = makeTree(shown, inverted);
	return { tree, name: (n) => shown.tables.funcName[shown.tables.frameFunc[tree.frame[n]]] };
}

test('rows of a tree are those whose parents are open', () => {
	const { tree, name } = treeOf(PROGRAM);
	const open = makeOpen();
	const list = () =>
		Array.from(listRows(tree, open).node, (n) => `${' '.repeat(tree.depth[n])}${name(n)}`);
	assert.deepEqual(list(), [' main']);
	const main = tree.firstChild[0];
	openNode(tree, open, main);
	assert.deepEqual(list(), [' main', '  work', '  Zebra']);
	openNode(tree, open, tree.firstChild[tree.firstChild[main]]);
	assert.deepEqual(list(), [' main', '  work', '   leaf', '    work', '  Zebra']);
	closeNode(tree, open, main);
	assert.deepEqual(list(), [' main']);
});

test('rows know their places among their siblings', () => {
	const { tree } = treeOf(PROGRAM);
	const open = makeOpen();
	openNode(tree, open, tree.firstChild[0]);
	const rows = listRows(tree, open);
	assert.deepEqual([...rows.place], [1, 1, 2]);
	assert.deepEqual([...rows.siblings], [1, 2, 2]);
});

test('light siblings are one row, with their sum, until it is opened', () => {
	const light = Array.from({ length: 5 }, (_, i) => `main;light${i}`);
	const { tree } = treeOf(oneThread('9000 * main;heavy', ...light));
	const open = makeOpen();
	const of = openNode(tree, open, tree.firstChild[0]);
	const rows = listRows(tree, open);
	assert.deepEqual([rows.count, rows.node[2], rows.light[2], rows.total[2]], [3, NONE, 5, 5]);
	of.more = true;
	assert.equal(listRows(tree, open).count, 7);
});

test('one light sibling, and siblings that all are light, are not hidden', () => {
	const one = treeOf(oneThread('9000 * main;heavy', 'main;light')).tree;
	const open = makeOpen();
	openNode(one, open, one.firstChild[0]);
	assert.equal(listRows(one, open).count, 3);
	const many = Array.from({ length: 200 }, (_, i) => `main;f${i}`);
	const all = treeOf(oneThread(...many)).tree;
	const openAllOf = makeOpen();
	openNode(all, openAllOf, all.firstChild[0]);
	assert.equal(listRows(all, openAllOf).count, 201);
});

test('the hottest path goes on to where the time is used', () => {
	const { tree, name } = treeOf(oneThread('6 * a;b;c', '2 * a;b', 'a;b;c;d', 'a;x'));
	const open = makeOpen();
	const node = openHottest(tree, open, 0, 0);
	assert.deepEqual(pathTo(tree, node).map(name), ['a', 'b', 'c']);
	assert.ok(Array.from(listRows(tree, open).node).includes(node));
});

test('very deep trees are opened and listed', () => {
	const deep = Array.from({ length: 5000 }, (_, i) => `f${i % 3}`).join(';');
	const { tree } = treeOf(oneThread(`4 * ${deep}`));
	const open = makeOpen();
	assert.equal(openAll(tree, open, 0), true);
	assert.equal(listRows(tree, open).count, 5000);
	const again = makeOpen();
	assert.equal(tree.depth[openHottest(tree, again, 0, 0)], 5000);
});

test('what is open stays open in another tree', () => {
	const c = oneThread('4 * main;work;leaf', '4 * main;other');
	const shower = new Shower(c, null);
	const first = makeTree(shower.show(state({})), false);
	const open = makeOpen();
	openAll(first, open, 0);
	const keys = pathTo(first, 2).map((n) => first.key[n]);
	const second = makeTree(shower.show(state({ ranges: [{ from: 0, to: 4e6 }] })), false);
	assert.equal(listRows(second, open).count, 3);
	assert.ok(findNode(second, keys) > 0);
	assert.equal(findNode(second, [123456]), NONE);
});

// ---- source ---------------------------------------------------------------------------------------

test('hot lines, lines behind the end, and files without text', () => {
	const c = makeCapture({
		threads: [{ samples: ['8 * f@a.py:2', '2 * f@a.py:4;g@b.py:9', 'f@a.py:77'] }],
		sources: { 'a.py': 'changed after the recording|one\ntwo\nthree\nfour\n' },
	});
	const shown = show(c);
	const file = (path: string) => openFile(c, shown, state({}), c.strings.indexOf(path));
	const a = file('a.py');
	assert.equal(a.lines?.length, 4);
	assert.deepEqual(a.bare, [77]);
	assert.equal(a.rowCount, 5);
	assert.equal(a.note, 'changed after the recording');
	assert.deepEqual(a.hot, [2, 77]);
	assert.deepEqual(
		[stepHot(a, 0, 1), stepHot(a, 2, 1), stepHot(a, 77, 1), stepHot(a, 2, -1)],
		[2, 77, 2, 77],
	);
	const b = file('b.py');
	assert.deepEqual([b.lines, b.bare, b.rowCount], [null, [9], 1]);
});

test('the outline has each function with its share; a line belongs to one', () => {
	const c = makeCapture({
		threads: [{ samples: ['3 * f:2;g:12', 'f:3', '2 * g:12;f:2;g:13'] }],
		firstLines: { f: 1, g: 10 },
	});
	const shown = show(c, { granularity: 'modules' });
	const outline = outlineOf(c, shown, c.strings.indexOf('app.py'));
	assert.deepEqual(
		outline.map((o) => [o.name, o.self, o.total]),
		[
			['f', 1, 6],
			['g', 5, 5],
		],
	);
	const file = c.strings.indexOf('app.py');
	const nameAt = (line: number) => c.strings[c.functions.name[funcAtLine(c, outline, file, line)]];
	assert.deepEqual([nameAt(3), nameAt(5), nameAt(12), nameAt(40)], ['f', 'f', 'g', 'g']);
});

// ---- details --------------------------------------------------------------------------------------

test('a stack reads as a traceback', () => {
	const c = makeCapture({
		threads: [{ samples: ['#Main;main:1;wo\nrk:2;(no Python frame)'] }],
		sources: { 'app.py': '    work()\nreturn\t1\n' },
	});
	assert.equal(
		tracebackText(stackFrames(c, c.samples.stack[0])),
		[
			'Traceback (most recent call last):',
			'  Main',
			'  File "app.py", line 1, in main',
			'    work()',
			'  File "app.py", line 2, in wo\\x0ark',
			'    return\\x091',
			'  (no Python frame)',
			'',
		].join('\n'),
	);
});

test('states are said in words', () => {
	const c = makeCapture({
		threads: [
			{
				samples: [
					'f ! cpu gil',
					'f ! wait sys=7',
					'f ! wait sys=8',
					'f ! wait gilwait',
					'f ! cpu gil gc',
					'f ! ready',
					'f ! wait taken',
					'f ! unknown cut',
				],
			},
		],
		syscalls: { 7: 'epoll_wait' },
	});
	const said = Array.from({ length: 8 }, (_, row) => stateWords(c, row));
	assert.deepEqual(said, [
		'running, holds the GIL',
		'waiting in epoll_wait',
		'waiting in system call 8',
		'waiting for the GIL',
		'in GC (running)',
		'ready to run',
		'waiting',
		'state not known',
	]);
	assert.equal(sampleNotes(c, 0).length, 0);
	assert.match(sampleNotes(c, 6)[0], /had not run/);
	assert.match(sampleNotes(c, 7)[0], /Truncated/);
});

test('samples with the same stack are counted over all threads', () => {
	const c = makeCapture({ threads: [{ samples: ['3 * a;b', 'a'] }, { samples: ['a;b'] }] });
	assert.equal(samplesWithStack(c, c.samples.stack[0]), 4);
});

test('callers and callees of a function add up to its total, also with recursion', () => {
	const c = oneThread('3 * main;f;g', '2 * other;f', 'main;f;g;f;h', 'f', 'main');
	const shown = show(c);
	const f = shown.tables.funcName.indexOf('f');
	const around = aroundOf(shown, f);
	const name = (row: number) => (row === NONE ? '-' : shown.tables.funcName[row]);
	const list = (of: readonly { row: number; weight: number }[]) =>
		of.map(({ row, weight }) => `${name(row)} ${weight}`).sort();
	assert.deepEqual(list(around.callers), ['- 1', 'main 4', 'other 2']);
	assert.deepEqual(list(around.callees), ['- 3', 'g 4']);
	assert.equal(
		around.shares.reduce((a, b) => a + b),
		7,
	);
});

test('weights by thread follow mode, range and hidden threads', () => {
	const c = makeCapture({
		threads: [{ samples: ['4 * a;f', 'a ! wait'] }, { samples: ['2 * f ! wait', 'f'] }],
	});
	const by = (patch: Partial<State>) => {
		const shown = show(c, patch);
		const range = { from: 0, to: c.durationNs };
		return threadWeights(c, shown, state(patch), range, null).map((t) => [t.row, t.weight]);
	};
	assert.deepEqual(by({}), [
		[0, 5],
		[1, 3],
	]);
	assert.deepEqual(by({ mode: 'cpu' }), [
		[0, 4],
		[1, 1],
	]);
	assert.deepEqual(by({ tracks: { ...INITIAL.tracks, hidden: [0] } }), [[1, 3]]);
});

test('the run: busiest threads first, the GIL and GC', () => {
	const c = makeCapture({
		threads: [
			{ samples: ['4 * f ! wait gilwait', 'f ! cpu gil gc'] },
			{ samples: ['3 * f ! cpu gil', '2 * f ! ready'] },
		],
	});
	const sums = runSums(c, [], { from: 0, to: c.durationNs });
	assert.deepEqual(
		sums.threads.map((t) => [t.thread, t.running, t.gilWait]),
		[
			[1, 5, 0],
			[0, 1, 4],
		],
	);
	assert.deepEqual([sums.samples, sums.held, sums.waited, sums.gc], [10, 4, 4, 1]);
});

// ---- trust ----------------------------------------------------------------------------------------

const RUN = makeCapture({
	threads: [{ samples: ['6 * f', '3 * f ! taken', 'f ! cut', 'f ! unread'] }],
	facts: { ticks: '90', 'rung.direct': '7', 'rung.coscheduled': '3', dropped: '2', left_out: '4' },
	losses: [
		{ timeNs: 0, kind: 'missed', count: 4 },
		{ timeNs: 10e6, kind: 'missed', count: 6 },
		{ timeNs: 10e6, kind: 'no room', count: 5 },
		{ timeNs: 99e9, kind: 'no space', count: 1 },
	],
});

test('every tick and every sample is in one row, and they add up', () => {
	const ticks = tickAccounts(RUN);
	assert.deepEqual(
		ticks?.rows.map((row) => row.count),
		[90, 10],
	);
	assert.equal(ticks?.sum, 100);
	assert.equal(ticks?.rows[1].grade, 'bad');
	assert.deepEqual(keptSamples(RUN), { whole: 6, takenOver: 3, cut: 1, unreadable: 1 });
	const samples = sampleAccounts(RUN);
	assert.equal(samples.sum, 11 + 5 + 1 + 2 + 4);
	const share = samples.rows.reduce((sum, row) => sum + row.share, 0);
	assert.ok(Math.abs(share - 1) < 1e-12);
	assert.equal(rungAccounts(RUN)?.sum, 10);
});

test('imported captures say what is not known', () => {
	const c = makeCapture({ threads: [{ samples: ['f'] }], facts: { format: 'austin' } });
	assert.equal(tickAccounts(c), null);
	assert.equal(rungAccounts(c), null);
	assert.equal(sampleAccounts(c).rows[0].name, 'as imported');
	assert.equal(verdict(c).grade, 'note');
});

test('the verdict names what is bad, and is good if nothing is', () => {
	assert.equal(verdict(RUN).grade, 'bad');
	assert.match(verdict(RUN).text, /missed 10\.0 %/);
	const threads = [{ samples: ['993 * f'] }];
	const fine = makeCapture({ threads, facts: { ticks: '9' } });
	assert.equal(verdict(fine).grade, 'good');
	assert.match(verdict(fine).text, /^No reason to worry: every tick/);
	const losses = [{ timeNs: 0, kind: 'missed', count: 7 } as const];
	const few = makeCapture({ threads, losses, facts: { ticks: '993' } });
	assert.match(verdict(few).text, /^No reason to worry: few ticks were missed \(7\); every tick/);
});

test('a capture that was cut off tells what was missed, not how many ticks there were', () => {
	const threads = [{ samples: ['993 * f'] }];
	assert.match(verdict(makeCapture({ threads })).text, /How many ticks .* does not tell/);
	const losses = [{ timeNs: 0, kind: 'missed', count: 7 } as const];
	const cut = makeCapture({ threads, losses, durationNs: 1000e6 });
	assert.deepEqual(
		tickAccounts(cut)?.rows.map((row) => [row.name, row.count]),
		[
			['looked at', 993],
			['missed', 7],
		],
	);
	assert.match(verdict(cut).text, /missed \(7\)/);
	const many = makeCapture({ threads: [{ samples: ['80 * f'] }], losses, durationNs: 87e6 });
	assert.equal(verdict(many).grade, 'bad');
	// without a clock nothing is known but that
	const counts = makeCapture({ threads, losses, periodNs: 0 });
	assert.equal(tickAccounts(counts)?.sum, 7);
	assert.equal(verdict(counts).grade, 'bad');
});

test('losses lie in their bins, also those that were told after the end', () => {
	const { missed, lost, most } = lossBins(RUN, 11);
	assert.equal(missed[0], 4);
	assert.equal(missed[10], 6);
	assert.equal(lost[10], 6);
	assert.equal(most, 12);
});

test('sampling error shrinks with samples; the smallest share is seen in 95 of 100', () => {
	const [few] = chances(100, [0.1]);
	const [many] = chances(10000, [0.1]);
	assert.ok(few.high - few.low > 5 * (many.high - many.low));
	assert.ok(Math.abs((1 - smallestSeen(1000)) ** 1000 - 0.05) < 1e-9);
	assert.equal(smallestSeen(0), 1);
});
