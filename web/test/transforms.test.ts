// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { App, MenuItem } from '../src/app/app.js';
import type { State, Transform } from '../src/app/state.js';
import { INITIAL } from '../src/app/state.js';
import {
	captureFunc,
	describeTransform,
	frameMenu,
	runMenuKey,
	shownFunc,
	stackText,
} from '../src/app/transforms.js';
import { NONE } from '../src/data/capture.js';
import { shownOf } from './flame_trees.js';

const SHOWN = shownOf(['main@app.py;json.loads@json.py;scan 5', 'main@app.py 1']);
const { tables } = SHOWN;
const LOADS = tables.funcName.indexOf('json.loads');

/** As much of an App as the menu needs; `sets` is what it was told. */
function fakeApp(state: Partial<State> = {}) {
	const sets: Partial<State>[] = [];
	const copies: string[] = [];
	const said: string[] = [];
	const strings = ['', ...tables.funcName, ...tables.funcFile];
	const fileRow = (f: number): number => (tables.funcFile[f] ? 1 + tables.funcCount + f : 0);
	const places = new Map(
		tables.funcFile.map((short, f) => [
			fileRow(f),
			{ short, module: tables.funcModule[f] ?? '', kind: 'own' as const },
		]),
	);
	const capture = {
		strings,
		places,
		functions: {
			count: tables.funcCount,
			name: Uint32Array.from(tables.funcName, (_, f) => f + 1),
			file: Uint32Array.from(tables.funcName, (_, f) => fileRow(f)),
			line: tables.funcLine,
			kind: tables.funcKind,
		},
	};
	const app = {
		capture,
		state: { ...INITIAL, ...state },
		set: (patch: Partial<State>) => sets.push(patch),
		copy: (text: string) => copies.push(text),
		say: (text: string) => said.push(text),
	} as unknown as App;
	return { app, sets, copies, said };
}

const leaf = tables.stackDepth.indexOf(3);
const stack = tables.stackParent[leaf]; // main;json.loads

function run(items: readonly MenuItem[], label: string): void {
	const item = items.find((i) => i.label.startsWith(label));
	assert.ok(item?.run, `no item '${label}' in ${items.map((i) => i.label).join(', ')}`);
	item.run();
}

test('each transform of the menu is added to those there are, and zooming starts anew', () => {
	const had: Transform = { kind: 'drop', func: 0 };
	const wanted: [string, Transform][] = [
		['Focus on this function', { kind: 'focus', func: LOADS }],
		['Focus on this path', { kind: 'path', funcs: [0, LOADS] }],
		['Keep only', { kind: 'only', func: LOADS }],
		['Drop', { kind: 'drop', func: LOADS }],
		['Merge', { kind: 'merge', func: LOADS }],
		['Collapse its recursion', { kind: 'recursion', func: LOADS }],
		['Collapse all recursion', { kind: 'recursion', func: NONE }],
		['Collapse module json', { kind: 'library', module: 'json' }],
	];
	for (const [label, transform] of wanted) {
		const { app, sets } = fakeApp({ transforms: [had] });
		run(frameMenu(app, tables, LOADS, stack), label);
		assert.deepEqual(sets, [{ transforms: [had, transform], zoom: [] }]);
	}
});

test('undo takes back the last one, clear all; without any there is neither', () => {
	const transforms: Transform[] = [
		{ kind: 'drop', func: 0 },
		{ kind: 'library', module: 'json' },
	];
	const { app, sets } = fakeApp({ transforms });
	const items = frameMenu(app, tables, LOADS, stack);
	run(items, 'Undo: module json collapsed');
	run(items, 'Clear');
	assert.deepEqual(sets, [
		{ transforms: [transforms[0]], zoom: [] },
		{ transforms: [], zoom: [] },
	]);
	const none = frameMenu(fakeApp().app, tables, LOADS, stack);
	assert.ok(!none.some((i) => /Undo|Clear/.test(i.label)));
});

test('without a stack there is no path and no stack to copy', () => {
	const items = frameMenu(fakeApp().app, tables, LOADS, NONE);
	assert.ok(!items.some((i) => /path|Copy stack/.test(i.label)));
	assert.ok(items.some((i) => i.label === 'Copy name'));
});

test('for a file or a module only what can be said of it is offered', () => {
	const places = { ...tables, funcOwn: new Int32Array(tables.funcCount).fill(NONE) };
	const { app, sets } = fakeApp();
	const items = frameMenu(app, places, LOADS, stack);
	assert.ok(!items.some((i) => /Focus|Drop|Merge/.test(i.label)));
	run(items, 'Collapse module');
	run(items, 'Show in sandwich');
	assert.deepEqual(sets[1], { view: 'sandwich', func: LOADS, line: 0 });
});

test('jumps choose the function and the view, a search is for the very name', () => {
	const { app, sets, copies } = fakeApp();
	const items = frameMenu(app, tables, LOADS, stack);
	run(items, 'Show source');
	run(items, 'Show in table');
	run(items, 'Search');
	run(items, 'Copy name');
	run(items, 'Copy stack');
	assert.equal(sets[0].view, 'source');
	assert.equal(sets[1].view, 'table');
	assert.equal(sets[1].func, LOADS);
	assert.ok(new RegExp(sets[2].search?.text ?? '').test('json.loads'));
	assert.ok(!new RegExp(sets[2].search?.text ?? '').test('jsonXloads'));
	assert.deepEqual(copies, ['json.loads (json.py:7)', 'main (app.py:7)\njson.loads (json.py:7)']);
});

test('keys run the items that show them', () => {
	const { app, sets } = fakeApp();
	const items = frameMenu(app, tables, LOADS, stack);
	const keys = items.flatMap((i) => (i.key ? [i.key] : []));
	assert.equal(new Set(keys).size, keys.length, 'no key twice');
	const press = (key: string, more: object = {}) =>
		runMenuKey(items, { key, shiftKey: false, ...more } as KeyboardEvent);
	assert.ok(press('f'));
	assert.ok(press('R', { shiftKey: true }));
	assert.ok(!press('f', { ctrlKey: true }));
	assert.ok(!press('q'));
	assert.deepEqual(
		sets.map((s) => s.transforms?.[0]),
		[
			{ kind: 'focus', func: LOADS },
			{ kind: 'recursion', func: NONE },
		],
	);
});

test('every transform is told in words, long names are cut', () => {
	const { app } = fakeApp();
	const words = (t: Transform): string => describeTransform(app, t);
	assert.equal(words({ kind: 'focus', func: LOADS }), 'focus on json.loads');
	assert.equal(words({ kind: 'drop', func: LOADS }), 'no stacks with json.loads');
	assert.equal(words({ kind: 'recursion', func: NONE }), 'recursion collapsed');
	assert.equal(words({ kind: 'path', funcs: [0, LOADS] }), 'only below main › json.loads');
	assert.ok(words({ kind: 'library', module: 'x'.repeat(1000) }).length < 80);
	assert.ok(words({ kind: 'focus', func: 9999 }).includes('?'));
});

test('functions as shown and of the capture lead to each other', () => {
	const { app } = fakeApp();
	const files = { ...tables, funcOwn: new Int32Array(tables.funcCount).fill(NONE) };
	assert.equal(shownFunc(app.capture, tables, LOADS), LOADS);
	assert.equal(captureFunc(app.capture, tables, LOADS), LOADS);
	assert.equal(captureFunc(app.capture, files, LOADS), LOADS, 'by its file');
	assert.equal(shownFunc(app.capture, files, LOADS), LOADS);
	assert.equal(shownFunc(app.capture, tables, NONE), NONE);
	assert.equal(shownFunc(app.capture, tables, 9999), NONE);
	assert.equal(stackText(tables, NONE), '');
});
