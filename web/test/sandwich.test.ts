// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { App } from '../src/app/app.js';
import { INITIAL } from '../src/app/state.js';
import { makeShape } from '../src/draw/layout.js';
import type { Shown } from '../src/model/shown.js';
import { DARK, differenceColour, LIGHT, textOn } from '../src/ui/colours.js';
import { makeLook, poolLines, sayNode, tipLines } from '../src/views/flame_look.js';
import { listFunctions } from '../src/views/sandwich_list.js';
import { nodeOf, shownOf, treeOf } from './flame_trees.js';

const SHOWN = shownOf(['main@app.py;work@app.py 60', 'main@app.py 30', 'wait 10']);

function appOf(shown: Shown, state: object = {}): App {
	const capture = { unit: 'samples' };
	return { capture, state: { ...INITIAL, ...state }, shown: () => shown } as unknown as App;
}

const named = (shown: Shown, funcs: readonly number[]): string[] =>
	funcs.map((f) => shown.tables.funcName[f] ?? '');

test('functions are listed by self or by total, those that match the filter', () => {
	assert.deepEqual(named(SHOWN, listFunctions(SHOWN, 'self', '')), ['work', 'main', 'wait']);
	assert.deepEqual(named(SHOWN, listFunctions(SHOWN, 'total', '')), ['main', 'work', 'wait']);
	assert.deepEqual(named(SHOWN, listFunctions(SHOWN, 'self', 'APP.PY')), ['work', 'main']);
	assert.deepEqual(listFunctions(SHOWN, 'self', '('), listFunctions(SHOWN, 'self', 'app.py'));
	assert.deepEqual(listFunctions(SHOWN, 'self', 'nothing'), []);
});

test('what only the other side of a comparison has is listed too', () => {
	const shown = shownOf(['a 1'], ['b 1']);
	assert.deepEqual(named(shown, listFunctions(shown, 'self', '')), ['a', 'b']);
});

test('a tip says what, where, how much and how sure', () => {
	const shape = makeShape(treeOf(SHOWN), 'now');
	const node = nodeOf(SHOWN, shape.tree, 'main', 'work');
	const lines = tipLines(appOf(SHOWN), shape, node, nodeOf(SHOWN, shape.tree, 'main'));
	assert.equal(lines[0], 'work');
	assert.equal(lines[1], 'app.py:7');
	assert.match(lines[2], /^total 60\.0 ms, 60\.0 % \(95 %: 5\d\.\d % to 6\d\.\d %\)$/);
	assert.match(lines[3], /^self 60\.0 ms/);
	assert.equal(lines[4], '66.7 % of main');
	assert.equal(lines[5], 'on processor 100 %');
	assert.match(sayNode(appOf(SHOWN), shape, node), /^work \(app\.py:7\): 60\.0 ms, 60\.0 %/);
});

test('in samples, or without times, weights are counts with their unit', () => {
	const shape = makeShape(treeOf(SHOWN), 'now');
	const counted = tipLines(appOf(SHOWN, { unit: 'samples' }), shape, 0, 0);
	assert.match(counted[1], /^total 100 samples, 100 %/);
	const timeless = { ...SHOWN, periodNs: 0 };
	assert.match(poolLines(appOf(timeless), 3, 30)[1] ?? '', /^together 30 samples, 30\.0 %/);
	assert.equal(poolLines(appOf(timeless), 1, 30)[0], '1 call too narrow to draw');
});

test('a tip of a comparison says both sides and the change', () => {
	const shown = shownOf(['a 30', 'b 70'], ['a 50', 'b 50']);
	const shape = makeShape(treeOf(shown), 'now');
	const lines = tipLines(appOf(shown), shape, nodeOf(shown, shape.tree, 'a'), 0);
	assert.ok(lines.some((l) => l.startsWith('before 50.0 %')));
	assert.ok(lines.includes('change \u221220.00 pp'));
});

test('differences are of shares of all, also in the tree of one function', () => {
	const shown = shownOf(['a;f 40', 'b 60'], ['a;f 10', 'b 90']);
	const part = treeOf(shownOf(['f;x 40'], ['f;x 10']));
	const look = makeLook(appOf(shown, { colouring: 'diff' }), makeShape(part, 'now'), LIGHT);
	assert.equal(look.fill(1), differenceColour(LIGHT, 0.3));
});

test('hostile names are spelt out in labels and tips', () => {
	const shown = shownOf(['\u202eevil\n\u0000 5']);
	const shape = makeShape(treeOf(shown), 'now');
	const look = makeLook(appOf(shown), shape, LIGHT);
	assert.equal(look.label(1), '\\u202eevil\\x0a\\x00');
	assert.equal(tipLines(appOf(shown), shape, 1, 0)[0], '\\u202eevil\\x0a\\x00');
	const long = shownOf([`${'x'.repeat(100_000)} 5`]);
	const longLook = makeLook(appOf(long), makeShape(treeOf(long), 'now'), LIGHT);
	assert.ok(longLook.label(1).length <= 500);
});

test('matches have the colour of matches, the rest fades; states are parts of the width', () => {
	const shape = makeShape(treeOf(SHOWN), 'now');
	const search = { text: 'work', regex: false, caseSensitive: false };
	const main = nodeOf(SHOWN, shape.tree, 'main');
	const work = nodeOf(SHOWN, shape.tree, 'main', 'work');
	for (const theme of [LIGHT, DARK]) {
		const plain = makeLook(appOf(SHOWN), shape, theme);
		const found = makeLook(appOf(SHOWN, { search }), shape, theme);
		assert.equal(found.fill(work), theme.match);
		assert.notEqual(found.fill(main), plain.fill(main));
		assert.ok(textOn(found.fill(main)));
		assert.equal(plain.parts(main), null);
		const states = makeLook(appOf(SHOWN, { colouring: 'state' }), shape, theme).parts(main);
		assert.deepEqual(
			states?.map(([share]) => share),
			[1, 0, 0, 0],
		);
		assert.equal(states?.[0]?.[1], theme.states.running);
	}
});
