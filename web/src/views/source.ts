// SPDX-License-Identifier: MIT
/** The source view: a file with the heat of its lines, the files beside it. */
import type { App, Change, View } from '../app/app.js';
import { frameMenu, shownFunc } from '../app/transforms.js';
import { FunctionKind, NONE } from '../data/capture.js';
import { visible } from '../draw/text.js';
import { fileHeat } from '../model/lines.js';
import { attributes, button, make } from '../ui/dom.js';
import { formatPercent } from '../ui/format.js';
import { makeCode } from './source_code.js';
import { makeSourceMap } from './source_map.js';
import type { Outlined, SourceFile } from './source_model.js';
import {
	funcAtLine,
	hottestLine,
	hottestOf,
	openFile,
	outlineOf,
	ownFunctionSums,
	rowOfLine,
	stepHot,
} from './source_model.js';
import { makeSide } from './source_side.js';

/** The file of the chosen function, else the one with the most self time; NONE if there is none. */
function wantedFile(app: App): number {
	const { functions, strings } = app.capture;
	const { func } = app.state;
	const file = func === NONE ? NONE : functions.file[func];
	const isFile =
		file !== NONE && strings[file] !== '' && functions.kind[func] !== FunctionKind.Mark;
	if (isFile) return file;
	const heat = fileHeat(app.capture, app.shown(), app.state);
	const { sources, places } = app.capture;
	const readable = heat.filter((one) => sources.get(one.file)?.text);
	const own = readable.find((one) => places.get(one.file)?.kind === 'own');
	return (own ?? readable[0] ?? heat[0])?.file ?? NONE;
}

function startSource(root: HTMLElement, app: App) {
	root.classList.add('panel', 'source-view');
	const { capture } = app;
	const name = make('bdi');
	const path = make('span', 'source-path', name);
	const note = make('span', 'source-note');
	const hotSum = make('span', 'panel-sum dim');
	const previous = button('', '\u2191', 'Previous hot line ([)', () => step(-1));
	const next = button('', '\u2193', 'Next hot line (])', () => step(1));
	const copyPath = button('', 'Copy path', 'Copy the path and the line', () => {
		if (source) app.copy(`${source.path}:${app.state.line || 1}`, 'path');
	});
	const files = button('source-opener', 'Files', 'Files and functions', () => {
		const open = root.classList.toggle('side-open');
		attributes(files, { 'aria-expanded': String(open) });
		side.resize();
	});
	attributes(files, { 'aria-expanded': 'false' });

	let source: SourceFile | null = null;
	let outline: readonly Outlined[] = [];

	const closeSide = (): void => {
		root.classList.remove('side-open');
		attributes(files, { 'aria-expanded': 'false' });
	};
	/** A file is chosen by the hottest function in it, so that a link shows it. */
	const chooseFile = (file: number): void => {
		const sums = ownFunctionSums(capture, app.shown());
		const functions = outlineOf(capture, app.shown(), file);
		const best = functions.reduce<Outlined | null>(
			(a, b) => (!a || sums.self[b.func] > sums.self[a.func] ? b : a),
			null,
		);
		if (best) app.set({ func: best.func, line: 0 }, 'step');
		closeSide();
	};
	const side = makeSide(app, chooseFile, ({ func, line }) => {
		app.set({ func, line }, 'step');
		closeSide();
	});
	const chooseLine = (line: number, how: 'step' | 'move' = 'move'): void => {
		if (!source) return;
		const func = funcAtLine(capture, outline, source.file, line);
		app.set(func === NONE ? { line } : { func, line }, how);
	};
	const lineMenu = (line: number, x: number, y: number): void => {
		if (!source) return;
		const { tables } = app.shown();
		const own = funcAtLine(capture, outline, source.file, line);
		const func = shownFunc(capture, tables, own);
		const text = source.lines?.[line - 1] ?? '';
		const where = `${source.path}:${line}`;
		app.showMenu(x, y, [
			...(func === NONE ? [] : [...frameMenu(app, tables, func, NONE), { label: '' }]),
			{ label: 'Copy line', run: () => app.copy(text, 'line') },
			{ label: 'Copy path and line', run: () => app.copy(where, 'path') },
		]);
	};
	const code = makeCode(app, { choose: chooseLine, menu: lineMenu });
	const map = makeSourceMap((row) => code.rows.scrollTo(row));
	code.rows.onScroll = () => map.draw(source, code.rows.seen());
	const step = (by: 1 | -1): void => {
		if (!source) return;
		const { func } = app.state;
		const begin = app.state.line || (func === NONE ? 0 : capture.functions.line[func]);
		const line = stepHot(source, begin, by);
		if (line > 0) chooseLine(line);
		else app.say('No line of this file is hot');
	};
	const missing = make('p', 'source-missing');
	const tools = make('div', 'panel-tools', files, path, copyPath, note, hotSum, previous, next);
	const main = make('div', 'source-main', tools, missing);
	main.append(make('div', 'source-body', code.rows.element, map.element));
	root.append(make('div', 'source-parts', side.element, main));

	const fillTools = (): void => {
		name.textContent = source ? visible(source.path) : '';
		path.title = name.textContent;
		const hasText = source?.lines !== null;
		const why = source?.note ? ` (${source.note})` : '';
		note.textContent = hasText ? (source?.note ?? '') : '';
		note.hidden = note.textContent === '';
		missing.hidden = hasText && source !== null;
		missing.textContent = source
			? `not readable: ${visible(source.path)}${visible(why)}. Only the lines that have samples are listed.`
			: 'No sample has a file.';
		const unknown = source?.heat.self.get(0) ?? 0;
		const share = formatPercent(unknown / (app.shown().now.sum || 1));
		const hot = source?.hot.length ?? 0;
		hotSum.textContent = [
			hot === 1 ? '1 hot line' : `${hot} hot lines`,
			...(unknown > 0 ? [`${share} at a line that is not known`] : []),
		].join(', ');
		for (const one of [previous, next]) one.disabled = hot === 0;
	};
	/** To the line of the state; to a function's beginning, if its hottest line can be seen then. */
	const follow = (jump: boolean, scroll: 'middle' | 'no' = 'middle'): void => {
		if (!source) return;
		const { line, func } = app.state;
		const isOf = func !== NONE && capture.functions.file[func] === source.file;
		if (line > 0 && isOf) {
			code.rows.moveTo(rowOfLine(source, line), scroll);
			return;
		}
		code.rows.moveTo(NONE, 'no');
		if (!jump) return;
		const begin = isOf ? rowOfLine(source, capture.functions.line[func]) : NONE;
		const hottest = isOf ? hottestLine(capture, source.heat, func) : hottestOf(source);
		const hot = rowOfLine(source, hottest);
		const [first, end] = code.rows.seen();
		const near = begin >= 0 && hot >= begin && hot - begin < end - first - 4;
		if (near || (hot === NONE && begin >= 0)) code.rows.scrollTo(Math.max(0, begin - 1));
		else code.rows.scrollTo(Math.max(0, hot - Math.floor((end - first) / 2)));
	};
	const load = (file: number): void => {
		const shown = app.shown();
		source = file === NONE ? null : openFile(capture, shown, app.state, file);
		outline = file === NONE ? [] : outlineOf(capture, shown, file);
		code.set(source, shown, outline);
		side.setOutline(shown, outline);
		fillTools();
	};
	return {
		update(changed: ReadonlySet<Change>): void {
			const has = (...changes: Change[]): boolean => changes.some((c) => changed.has(c));
			// in a live page the hottest file may be another one every second
			const stays = has('capture') && app.state.func === NONE;
			const wanted = (stays ? source?.file : undefined) ?? wantedFile(app);
			const other = wanted !== (source?.file ?? NONE);
			const redo = has('shown', 'unit', 'colours');
			const top = code.rows.seen()[0];
			if (other || redo) load(wanted);
			if (redo) side.setFiles(app.shown(), wanted);
			else if (other) side.setOpen(wanted);
			if (has('size')) {
				code.rows.resize();
				side.resize();
			}
			if (other || has('func', 'line', 'view')) follow(other || has('func', 'view'));
			else if (redo) {
				code.rows.scrollTo(top);
				follow(false, has('capture') ? 'no' : 'middle');
			}
			if (has('hover')) {
				code.light();
				side.light();
			}
			map.draw(source, code.rows.seen());
		},
		key(event: KeyboardEvent): boolean {
			if (event.ctrlKey || event.metaKey || event.altKey) return false;
			if (event.key === '[' || event.key === ']') {
				step(event.key === ']' ? 1 : -1);
				return true;
			}
			return event.key !== 'Enter' && code.rows.key(event);
		},
	};
}

export function makeSourceView(): View {
	let source: ReturnType<typeof startSource> | null = null;
	return {
		mount(root, app) {
			source = startSource(root, app);
		},
		update: (changed) => source?.update(changed),
		key: (event) => source?.key(event) ?? false,
		help: [
			['[ and ]', 'previous and next hot line'],
			['Arrow keys, Page keys, Home, End', 'move between lines'],
			['Click on a file or a function', 'open it'],
			['Right click, long press, Shift+F10', 'menu of a line'],
		],
	};
}
