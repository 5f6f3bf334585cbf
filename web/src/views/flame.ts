// SPDX-License-Identifier: MIT
/**
 * The flame graph: what is shown as a call tree of boxes, as wide as their share. Root at the bottom,
 * or on top (icicle), or merged from the leaves (callers).
 */
import type { App, Change, View } from '../app/app.js';
import type { Colouring } from '../app/state.js';
import type { Shape } from '../draw/layout.js';
import { makeShape } from '../draw/layout.js';
import { svgOf } from '../draw/svg.js';
import { visible } from '../draw/text.js';
import type { Tree } from '../model/tree.js';
import { currentTheme } from '../ui/colours.js';
import { formatPercent } from '../ui/format.js';
import { searchFunctions } from '../ui/search.js';
import type { Graph, GraphModel } from './flame_graph.js';
import { makeGraph } from './flame_graph.js';
import { FLAME_HELP } from './flame_help.js';
import { funcOf } from './flame_look.js';
import type { Matched } from './flame_path.js';
import { matchNodes, nodePlace, nodesTo, pathTo, resolvePath } from './flame_path.js';
import { PICTURE_ROW, pictureBoxes, pictureFitter } from './flame_picture.js';
import {
	add,
	addButton,
	addChoice,
	addSelect,
	colouringOptions,
	concernsTrees,
	fillCrumbs,
	fillLegend,
	followComparison,
} from './flame_tools.js';

/** Share of the other side that is in calls which are gone now. */
export function goneShare(tree: Tree): number {
	const { before, total, parent } = tree;
	if (!before || !(tree.beforeSum > 0)) return 0;
	if (!(tree.sum > 0)) return 1;
	let gone = 0;
	for (let n = 1; n < tree.count; n++) {
		if (!(total[n] > 0) && before[n] > 0 && total[parent[n]] > 0) gone += before[n];
	}
	return gone / tree.beforeSum;
}

function makeModel(app: App): GraphModel {
	let kept: Shape | null = null;
	let widths = '';
	return {
		label:
			'Flame graph. Arrow keys move between frames, Enter zooms, Escape zooms out, ' +
			'Shift F10 opens the menu.',
		hideRoot: false,
		status: null,
		shape() {
			const tree = app.tree(app.state.leaves);
			if (kept?.tree !== tree || widths !== app.state.widths) {
				widths = app.state.widths;
				kept = makeShape(tree, app.state.widths);
			}
			return kept;
		},
		rootAtTop: () => app.state.inverted,
		fromRoots: () => !app.state.leaves,
		zoom: () => app.state.zoom,
		setZoom: (zoom) => app.set({ zoom }, 'step'),
	};
}

/** What matches the search; keeps the last answer. */
function makeMatches(app: App): (shape: Shape) => Matched | null {
	let last: { shape: Shape; found: object; matched: Matched } | null = null;
	return (shape) => {
		const { tables } = app.shown();
		const found = searchFunctions(tables, app.state.search);
		if (!found) return null;
		if (last?.shape !== shape || last.found !== found) {
			last = { shape, found, matched: matchNodes(shape, tables, found.matches) };
		}
		return last.matched;
	};
}

/** The row of choices; update() brings it up to date. */
function makeTools(root: HTMLElement, app: App) {
	const bar = add(root, 'div', 'flame-tools');
	const way = addChoice(
		bar,
		'Direction',
		[
			['flame', 'Flame', 'The root at the bottom, callees above their callers'],
			['icicle', 'Icicle', 'The root on top, callees below their callers'],
		],
		(value) => app.set({ inverted: value === 'icicle' }, 'step'),
	);
	const leaves = addButton(
		bar,
		'Callers',
		'Merge from the leaves: who calls what takes the time',
		() => app.set({ leaves: !app.state.leaves, zoom: [] }, 'step'),
	);
	const colouring = addSelect(bar, 'Colour', (value) => {
		app.set({ colouring: value as Colouring }, 'step');
	});
	const widths = addChoice(
		bar,
		'Widths',
		[
			['now', 'Now', 'Widths are what it takes now'],
			['before', 'Before', 'Widths are what it took before; shows what is gone'],
		],
		(value) => app.set({ widths: value }, 'step'),
	);
	const gone = addButton(
		bar,
		'',
		'Calls that are not there any more: show the widths of before',
		() => app.set({ widths: 'before' }, 'step'),
	);
	const legend = add(bar, 'ul', 'flame-legend');
	legend.setAttribute('aria-label', 'Colours');
	return {
		update(tree: Tree): void {
			const { state } = app;
			const compared = tree.before !== null;
			way.set(state.inverted ? 'icicle' : 'flame');
			leaves.setAttribute('aria-pressed', String(state.leaves));
			colouring.fill(colouringOptions(compared), state.colouring);
			widths.element.hidden = !compared;
			widths.set(state.widths);
			const share = goneShare(tree);
			gone.hidden = !(share > 0) || state.widths === 'before';
			gone.textContent = `gone: ${formatPercent(share)} of before`;
			fillLegend(legend, currentTheme(), state.colouring);
		},
	};
}

function updateCrumbs(nav: HTMLElement, app: App, shape: Shape): void {
	const { tree } = shape;
	const place = resolvePath(tree, app.state.zoom);
	const { tables } = app.shown();
	const crumbs: [string, () => void][] = [['all', () => app.set({ zoom: [] }, 'step')]];
	for (const node of nodesTo(tree, place.node)) {
		const full = tables.funcName[funcOf(app.shown(), shape, node)] || '?';
		const name = visible(full.slice(0, 200));
		crumbs.push([name, () => app.set({ zoom: pathTo(tree, nodePlace(node)) }, 'step')]);
	}
	if (place.pool >= 0) crumbs.push(['narrow calls', () => undefined]);
	fillCrumbs(nav, crumbs);
}

function pictureOf(app: App, graph: Graph): string {
	const width = graph.width();
	const part = {
		shape: graph.shape(),
		window: graph.window(),
		look: graph.look(),
		rootAtTop: app.state.inverted,
		hideRoot: false,
	};
	const top = PICTURE_ROW * 1.5;
	const { boxes, height } = pictureBoxes(app, part, width - 16, top);
	const title = `${app.capture.title}: flame graph`;
	const picture = {
		title,
		width,
		height: top + height + 8,
		boxes: boxes.map((box) => ({ ...box, x: box.x + 8 })),
		texts: [{ x: 8, y: top / 2, text: title, strong: true }],
	};
	return svgOf(picture, part.look.theme, pictureFitter());
}

export function makeFlame(): View {
	let app: App;
	let graph: Graph;
	let matches: (shape: Shape) => Matched | null;
	let tools: ReturnType<typeof makeTools>;
	let crumbs: HTMLElement;

	const step = (by: number): void => {
		const nodes = matches(graph.shape())?.nodes ?? [];
		if (nodes.length === 0) return;
		const at = nodes.indexOf(graph.focused());
		const next = at < 0 ? (by > 0 ? 0 : nodes.length - 1) : at + by;
		const node = nodes[(next + nodes.length) % nodes.length];
		if (node !== undefined) graph.show(node);
	};
	const update = (changed: ReadonlySet<Change>): void => {
		graph.update(changed);
		if (!concernsTrees(changed)) return;
		const shape = graph.shape();
		followComparison(app, shape.tree.before !== null);
		tools.update(shape.tree);
		updateCrumbs(crumbs, app, shape);
	};
	return {
		mount(root, anApp) {
			app = anApp;
			root.classList.add('flame');
			matches = makeMatches(app);
			tools = makeTools(root, app);
			crumbs = add(root, 'nav', 'flame-crumbs');
			crumbs.setAttribute('aria-label', 'Zoomed into');
			graph = makeGraph(root, app, makeModel(app));
			update(new Set<Change>(['shown', 'size']));
		},
		update,
		key(event) {
			if (event.ctrlKey || event.metaKey || event.altKey) return false;
			if ((event.key === 'n' || event.key === 'N') && app.state.search.text !== '') {
				step(event.key === 'n' ? 1 : -1);
				return true;
			}
			return graph.key(event);
		},
		help: FLAME_HELP,
		svg: () => pictureOf(app, graph),
	};
}
