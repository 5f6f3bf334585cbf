// SPDX-License-Identifier: MIT
/** The sandwich: for one function, its callers above and its callees below, and a list to choose. */
import type { App, Change, View } from '../app/app.js';
import type { Colouring } from '../app/state.js';
import { captureFunc, shownFunc } from '../app/transforms.js';
import { NONE } from '../data/capture.js';
import type { Shape } from '../draw/layout.js';
import { makeShape } from '../draw/layout.js';
import { svgOf } from '../draw/svg.js';
import { visible } from '../draw/text.js';
import type { FunctionSums } from '../model/functions.js';
import { functionSums } from '../model/functions.js';
import type { Shown } from '../model/shown.js';
import { makeSandwich as makeTrees } from '../model/tree.js';
import { currentTheme, differenceColour, functionColour, textOn } from '../ui/colours.js';
import { formatPercent } from '../ui/format.js';
import { titleOf } from '../ui/search.js';
import type { Graph } from './flame_graph.js';
import { makeGraph } from './flame_graph.js';
import { FRAME_KEYS } from './flame_help.js';
import { funcOf, sharePhrase } from './flame_look.js';
import { PICTURE_ROW, pictureBoxes, pictureFitter } from './flame_picture.js';
import {
	add,
	addSelect,
	colouringOptions,
	concernsTrees,
	fillLegend,
	followComparison,
} from './flame_tools.js';
import { listFunctions, makeFunctionList } from './sandwich_list.js';

interface Halves {
	readonly callers: Shape;
	readonly callees: Shape;
}

/** The chosen function of the shown tables: the state's, else the one with the most self time. */
export function chosenFunc(app: App): number {
	const { tables } = app.shown();
	const func = shownFunc(app.capture, tables, app.state.func);
	return func === NONE ? (listFunctions(app.shown(), 'self', '')[0] ?? NONE) : func;
}

/** Of the chosen function's name: as its boxes. */
function fillOf(app: App, func: number, sums: FunctionSums): string {
	const { tables, now, before } = app.shown();
	const { colouring } = app.state;
	if (colouring !== 'diff' || !before)
		return functionColour(currentTheme(), tables, func, colouring);
	const was = (sums.beforeTotal?.[func] ?? 0) / (before.sum || 1);
	return differenceColour(currentTheme(), sums.total[func] / (now.sum || 1) - was);
}

function startSandwich(root: HTMLElement, app: App) {
	root.classList.add('sandwich');
	const bar = add(root, 'div', 'flame-tools');
	const colouring = addSelect(bar, 'Colour', (value) => {
		app.set({ colouring: value as Colouring }, 'step');
	});
	const legend = add(bar, 'ul', 'flame-legend');
	legend.setAttribute('aria-label', 'Colours');
	const parts = add(root, 'div', 'sandwich-parts');
	const list = makeFunctionList(parts, app, (func) => choose(func));
	const halves = add(parts, 'div', 'sandwich-halves');
	const status = document.createElement('p');
	status.className = 'flame-status';

	let shown: Shown | null = null;
	let { samples } = app.capture;
	let func = NONE;
	let shapes: Halves | null = null;
	let fallback = NONE; // kept while the state has none, so that it does not jump

	const shapesNow = (): Halves => {
		const now = app.shown();
		const wanted = shownFunc(app.capture, now.tables, app.state.func);
		// in a live page samples come and go: what is looked at stays
		const isNew = samples === app.capture.samples;
		const had = func === NONE || isNew ? NONE : (shown?.tables.funcOwn[func] ?? NONE);
		if (now !== shown) fallback = shownFunc(app.capture, now.tables, had);
		samples = app.capture.samples;
		if (wanted === NONE && fallback === NONE) fallback = chosenFunc(app);
		const next = wanted === NONE ? fallback : wanted;
		if (!shapes || shown !== now || next !== func) {
			shown = now;
			func = next;
			const { callers, callees } = makeTrees(now, func);
			shapes = { callers: makeShape(callers, 'now'), callees: makeShape(callees, 'now') };
			if (had === NONE || had !== now.tables.funcOwn[func]) {
				zooms = { callers: [], callees: [] };
			}
		}
		return shapes;
	};
	let zooms: Record<keyof Halves, readonly number[]> = { callers: [], callees: [] };

	const choose = (next: number): void => {
		const own = captureFunc(app.capture, app.shown().tables, next);
		if (own !== NONE) app.set({ func: own }, 'step');
	};

	const makeHalf = (half: keyof Halves, label: string): Graph => {
		const graph: Graph = makeGraph(halves, app, {
			label: `${label}. Arrow keys move between frames, Enter chooses a function.`,
			hideRoot: true,
			status,
			shape: () => shapesNow()[half],
			rootAtTop: () => half === 'callees',
			fromRoots: () => false,
			zoom: () => zooms[half],
			setZoom(path) {
				zooms = { ...zooms, [half]: path };
				graph.update(new Set<Change>(['zoom']));
			},
			click(node) {
				const next = funcOf(app.shown(), shapesNow()[half], node);
				if (next >= 0 && next !== func) choose(next);
			},
		});
		return graph;
	};
	let active: Graph;
	const callers = makeHalf('callers', 'Callers, inwards to the function at the bottom');
	const name = add(halves, 'h3', 'sandwich-name');
	const callees = makeHalf('callees', 'Callees, outwards from the function on top');
	active = callees;
	halves.append(status);
	for (const graph of [callers, callees]) {
		const take = (): void => {
			active = graph;
		};
		graph.element.addEventListener('focusin', take);
		graph.element.addEventListener('pointerdown', take);
	}

	const updateName = (): void => {
		const { tables, now } = app.shown();
		if (func < 0) {
			name.textContent = 'No function is shown.';
			return;
		}
		const sums = functionSums(app.shown());
		const fill = fillOf(app, func, sums);
		name.style.background = fill;
		name.style.color = textOn(fill);
		const title = visible(titleOf(tables, func).slice(0, 500));
		const sum = now.sum || 1;
		const total = formatPercent(sums.total[func] / sum);
		const self = formatPercent(sums.self[func] / sum);
		name.textContent = `${title}: total ${total}, self ${self}`;
		const sure = `total ${sharePhrase(sums.total[func], now)}, self ${sharePhrase(sums.self[func], now)}`;
		name.title = `${title}: ${sure}`;
	};

	const update = (changed: ReadonlySet<Change>): void => {
		const trees = shapesNow();
		callers.update(changed);
		callees.update(changed);
		if (!concernsTrees(changed) && !changed.has('func')) return;
		followComparison(app, trees.callees.tree.before !== null);
		list.update(func);
		updateName();
		colouring.fill(colouringOptions(trees.callees.tree.before !== null), app.state.colouring);
		fillLegend(legend, currentTheme(), app.state.colouring);
	};

	const svg = (): string => {
		const width = callees.width();
		const { theme } = callees.look();
		const fitter = pictureFitter();
		const title = `${app.capture.title}: sandwich`;
		const top = PICTURE_ROW * 1.5;
		const half = (graph: Graph, rootAtTop: boolean, y: number) => {
			const part = { shape: graph.shape(), window: graph.window(), look: graph.look() };
			return pictureBoxes(app, { ...part, rootAtTop, hideRoot: true }, width, y);
		};
		const above = half(callers, false, top);
		const middle = top + above.height + PICTURE_ROW * 0.75;
		const below = half(callees, true, middle + PICTURE_ROW * 0.75);
		return svgOf(
			{
				title,
				width,
				height: middle + PICTURE_ROW * 0.75 + below.height + 4,
				boxes: [...above.boxes, ...below.boxes],
				texts: [
					{ x: 4, y: top / 2, text: title, strong: true },
					{ x: 4, y: middle, text: fitter.fit(name.textContent ?? '', width - 8), strong: true },
				],
			},
			theme,
			fitter,
		);
	};
	return { update, svg, key: (event: KeyboardEvent): boolean => active.key(event) };
}

export function makeSandwich(): View {
	let sandwich: ReturnType<typeof startSandwich> | null = null;
	return {
		mount(root, app) {
			sandwich = startSandwich(root, app);
			sandwich.update(new Set<Change>(['shown', 'size']));
		},
		update: (changed) => sandwich?.update(changed),
		key: (event) => sandwich?.key(event) ?? false,
		help: [
			['Click, Enter', 'choose a function: its callers above, its callees below'],
			['Shift+Enter', 'zoom into a frame'],
			['Escape, Backspace', 'zoom out'],
			['Arrow keys', 'move between frames, or in the list'],
			...FRAME_KEYS,
		],
		svg: () => sandwich?.svg() ?? '',
	};
}
