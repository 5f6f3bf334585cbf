// SPDX-License-Identifier: MIT
/** Beside the source: the files by self time, and the functions of the one that is open. */
import type { App } from '../app/app.js';
import { shownFunc } from '../app/transforms.js';
import { NONE } from '../data/capture.js';
import { fileHeat } from '../model/lines.js';
import type { Shown } from '../model/shown.js';
import { attributes, make } from '../ui/dom.js';
import type { Outlined } from './source_model.js';
import { makeFilter } from './table_model.js';
import { amountCell } from './table_numbers.js';
import { makeRows } from './table_rows.js';
import { pathCell, shortened, weightLines } from './table_text.js';

export interface Side {
	readonly element: HTMLElement;
	/** The files, anew; `file` is the one that is open. */
	setFiles(shown: Shown, file: number): void;
	setOutline(shown: Shown, functions: readonly Outlined[]): void;
	setOpen(file: number): void;
	light(): void;
	resize(): void;
}

type FileSums = ReturnType<typeof fileHeat>;

/** `open`: a file was chosen; `go`: a function of the file. */
export function makeSide(
	app: App,
	open: (file: number) => void,
	go: (func: Outlined) => void,
): Side {
	const input = attributes(make('input', 'panel-filter'), {
		type: 'search',
		placeholder: 'Filter files',
		'aria-label': 'Filter files',
	});
	let shown: Shown = app.shown();
	let all: FileSums = [];
	let files: FileSums = [];
	let functions: readonly Outlined[] = [];
	let openFile = NONE;

	const shortOf = (file: number): string =>
		app.capture.places.get(file)?.short ?? app.capture.strings[file];
	const headOf = (...cells: readonly [string, string][]): HTMLTableRowElement =>
		make(
			'tr',
			'',
			...cells.map(([name, text]) => attributes(make('th', name, text), { scope: 'col' })),
		);
	const showTip = (event: PointerEvent, lines: readonly string[] | null): void =>
		app.showTip(event.clientX, event.clientY, lines);

	const fileRows = makeRows({
		role: 'grid',
		label: 'Files, by self time',
		id: 'source-file',
		fill(row, index) {
			const { file, self } = files[index];
			const source = app.capture.sources.get(file);
			const name = pathCell('name', shortOf(file));
			if (!source?.text) name.classList.add('dim');
			row.append(amountCell('self', self, shown.now, shown.periodNs, 'percent'), name);
		},
		chosen: (index) => open(files[index].file),
		open: (index) => open(files[index].file),
		menu() {},
		hover(index, event) {
			if (index === NONE) return showTip(event, null);
			const { file, self, total } = files[index];
			showTip(event, [
				shortened(app.capture.strings[file]),
				...weightLines(app, shown, 'self', self, null),
				...weightLines(app, shown, 'total', total, null),
			]);
		},
	});
	fileRows.head.append(headOf(['self', 'Self'], ['name', 'File']));

	const light = (row: HTMLTableRowElement, index: number): void => {
		const func = shownFunc(app.capture, shown.tables, functions[index].func);
		row.classList.toggle('lit', func !== NONE && app.hover.func === func);
	};
	const outlineRows = makeRows({
		role: 'grid',
		label: 'Functions of the file',
		id: 'source-function',
		fill(row, index) {
			const { total, name } = functions[index];
			row.append(
				amountCell('total', total, shown.now, shown.periodNs, 'percent'),
				make('td', 'name', make('span', 'name-text', shortened(name || '?'))),
			);
			light(row, index);
		},
		chosen: (index) => go(functions[index]),
		open: (index) => go(functions[index]),
		menu() {},
		hover(index, event) {
			if (index === NONE) {
				app.setHover(null);
				return showTip(event, null);
			}
			const one = functions[index];
			app.setHover({ func: shownFunc(app.capture, shown.tables, one.func) });
			showTip(event, [
				shortened(one.name || '?'),
				one.line > 0 ? `line ${one.line}` : 'line not known',
				...weightLines(app, shown, 'self', one.self, null),
				...weightLines(app, shown, 'total', one.total, null),
			]);
		},
	});
	outlineRows.head.append(headOf(['total', 'Total'], ['name', 'Function']));

	const mark = (): void => {
		fileRows.moveTo(
			files.findIndex(({ file }) => file === openFile),
			'near',
		);
	};
	const filter = (): void => {
		const { test } = makeFilter(input.value);
		files = all.filter(({ file }) => input.value === '' || test(app.capture.strings[file]));
		fileRows.set(files.length);
		mark();
	};
	input.addEventListener('input', filter);
	return {
		element: make('div', 'source-side', input, fileRows.element, outlineRows.element),
		setFiles(next, file) {
			shown = next;
			openFile = file;
			all = fileHeat(app.capture, shown, app.state);
			filter();
		},
		setOutline(next, list) {
			shown = next;
			functions = list;
			outlineRows.set(list.length);
		},
		setOpen(file) {
			openFile = file;
			mark();
		},
		light: () => outlineRows.each(light),
		resize() {
			fileRows.resize();
			outlineRows.resize();
		},
	};
}
