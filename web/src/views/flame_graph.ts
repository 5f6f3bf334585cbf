// SPDX-License-Identifier: MIT
/**
 * One call tree as boxes on a canvas: what the flame graph, and each half of the sandwich, is made
 * of. Draws, answers pointer and keys, and moves between zooms; what it shows and where a zoom is
 * kept is the model's.
 */
import type { App, Change } from '../app/app.js';
import { frameMenu, goTo, runMenuKey, undoItems } from '../app/transforms.js';
import { NONE } from '../data/capture.js';
import type { Shape, Span } from '../draw/layout.js';
import { between, boxAt, emptyBoxes, layOut } from '../draw/layout.js';
import { currentTheme } from '../ui/colours.js';
import { listenToPointer } from './flame_input.js';
import { moveFocus } from './flame_keys.js';
import type { Look } from './flame_look.js';
import { funcOf, makeLook, poolLines, sayNode, tipLines } from './flame_look.js';
import type { Rows, Surface } from './flame_paint.js';
import { depthAt, makeSurface, outline, paintBoxes, rowTop } from './flame_paint.js';
import {
	nodePlace,
	nodesOfStack,
	outwards,
	pathTo,
	resolvePath,
	spanOf,
	stackOfNode,
} from './flame_path.js';
import { concernsTrees } from './flame_tools.js';

const ANIMATION_MS = 180;
export const LEAST_PX = 2; // narrower siblings are pooled

export interface GraphModel {
	readonly label: string; // for screen readers
	readonly hideRoot: boolean; // node 0 is not drawn
	shape(): Shape;
	rootAtTop(): boolean;
	/** Nodes are paths from the roots, so that each stands for a stack. */
	fromRoots(): boolean;
	zoom(): readonly number[];
	setZoom(path: readonly number[]): void;
	/** Where the focused frame is told; null: a line below the picture. */
	readonly status: HTMLElement | null;
	/** What a click on a node does, in place of zooming. */
	click?(node: number): void;
}

export interface Graph {
	readonly element: HTMLElement;
	update(changed: ReadonlySet<Change>): void;
	key(event: KeyboardEvent): boolean;
	/** Focuses a node and makes it visible, zooming if it must. */
	show(node: number): void;
	focused(): number; // a node, or NONE
	look(): Look;
	shape(): Shape;
	window(): Span; // what is zoomed into
	width(): number;
}

const isStill = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;
const rowHeight = (): number => (matchMedia('(pointer: coarse)').matches ? 26 : 19);

function element(tag: string, className: string, parent: HTMLElement): HTMLElement {
	const made = document.createElement(tag);
	made.className = className;
	parent.append(made);
	return made;
}

interface Parts {
	readonly element: HTMLElement;
	readonly scroller: HTMLElement;
	readonly content: HTMLElement;
	readonly holder: HTMLElement;
	readonly boxes: Surface;
	readonly over: Surface;
	readonly status: HTMLElement;
}

function makeParts(host: HTMLElement, model: GraphModel): Parts {
	const root = element('div', 'flame-graph', host);
	const scroller = element('div', 'flame-scroll', root);
	scroller.tabIndex = 0;
	scroller.setAttribute('role', 'application');
	scroller.setAttribute('aria-label', model.label);
	const content = element('div', 'flame-content', scroller);
	const holder = element('div', 'flame-holder', content);
	const surface = (): Surface => {
		const canvas = document.createElement('canvas');
		canvas.setAttribute('aria-hidden', 'true');
		holder.append(canvas);
		return makeSurface(canvas);
	};
	const boxes = surface();
	const over = surface();
	const status = model.status ?? element('p', 'flame-status', root);
	status.setAttribute('aria-live', 'polite');
	return { element: root, scroller, content, holder, boxes, over, status };
}

export function makeGraph(host: HTMLElement, app: App, model: GraphModel): Graph {
	const parts = makeParts(host, model);
	const boxes = emptyBoxes();
	let shape = model.shape();
	let look = makeLook(app, shape, currentTheme());
	let window: Span = spanOf(shape, nodePlace(0));
	let target: Span = window;
	let moving: { from: Span; since: number } | null = null;
	let focus = NONE;
	let pointed = NONE; // a box, by index
	let width = 0;
	let atTop: boolean | null = null; // how it was drawn last
	let atBottom = false; // scrolled to the end then
	let frame = 0;
	let rows: Rows = {
		rowPx: rowHeight(),
		rootAtTop: true,
		contentPx: 0,
		scrollPx: 0,
		heightPx: 0,
		hideRoot: model.hideRoot,
	};

	const measure = (): void => {
		const rowPx = rowHeight();
		const depths = shape.tree.maxDepth + (model.hideRoot ? 0 : 1);
		const contentPx = Math.max(1, depths) * rowPx;
		const rootAtTop = model.rootAtTop();
		parts.content.style.height = `${contentPx}px`;
		width = parts.scroller.clientWidth;
		const heightPx = Math.min(contentPx, parts.scroller.clientHeight);
		parts.holder.style.height = `${heightPx}px`;
		// the root stays in view when the room for it changes
		if (atTop !== rootAtTop || (!rootAtTop && atBottom && heightPx !== rows.heightPx)) {
			parts.scroller.scrollTop = rootAtTop ? 0 : contentPx;
		}
		atTop = rootAtTop;
		const scrollPx = Math.min(parts.scroller.scrollTop, contentPx - heightPx);
		atBottom = scrollPx >= contentPx - heightPx - 2;
		rows = { rowPx, rootAtTop, contentPx, scrollPx, heightPx, hideRoot: model.hideRoot };
	};

	/** The stacks and functions that light up, as outlines. */
	const drawOver = (): void => {
		const { theme } = look;
		parts.over.begin(width, rows.heightPx);
		const { func, stack } = app.hover;
		const path =
			stack !== NONE && model.fromRoots()
				? new Set(nodesOfStack(app.shown().tables, shape.tree, stack))
				: null;
		outline(parts.over, boxes, rows, (node, index) => {
			if (index === pointed) return [theme.text, 2];
			if (focus !== NONE && holds(index, focus)) return [theme.accent, 3];
			if (boxes.more[index]) return null;
			if (path?.has(node)) return [theme.accent, 1.5];
			return func !== NONE && funcOf(app.shown(), shape, node) === func ? [theme.text, 1.5] : null;
		});
	};

	/** Whether a box is, or pools, a node. */
	const holds = (index: number, node: number): boolean => {
		if (!boxes.more[index]) return boxes.node[index] === node;
		const first = boxes.node[index];
		if (shape.tree.parent[first] !== shape.tree.parent[node]) return false;
		return (
			shape.start[node] >= shape.start[first] &&
			shape.start[node] < shape.start[first] + boxes.weight[index]
		);
	};

	const draw = (): void => {
		measure();
		if (width <= 0) return;
		layOut(shape, window, width, LEAST_PX, boxes);
		parts.boxes.begin(width, rows.heightPx);
		paintBoxes(parts.boxes, boxes, rows, look, shape.value[0]);
		pointed = NONE;
		drawOver();
	};

	const tick = (now: number): void => {
		frame = 0;
		if (moving) {
			const t = Math.min(1, Math.max(0, (now - moving.since) / ANIMATION_MS));
			window = between(moving.from, target, 1 - (1 - t) ** 3);
			if (t === 1) {
				moving = null;
				window = target;
			}
		}
		draw();
		if (moving) frame = requestAnimationFrame(tick);
	};
	const later = (): void => {
		if (!frame) frame = requestAnimationFrame(tick);
	};

	const place = () => resolvePath(shape.tree, model.zoom());

	const follow = (animate: boolean): void => {
		const next = spanOf(shape, place());
		if (next.from === target.from && next.to === target.to && animate) return;
		target = next;
		if (animate && !isStill()) moving = { from: window, since: performance.now() };
		else {
			moving = null;
			window = target;
		}
	};

	const tell = (node: number): void => {
		parts.status.textContent = node === NONE ? '' : sayNode(app, shape, node);
	};

	const scrollTo = (node: number): void => {
		const y = rowTop(rows, shape.tree.depth[node]);
		if (y < 0) parts.scroller.scrollTop += y - rows.rowPx;
		else if (y + rows.rowPx > rows.heightPx) {
			parts.scroller.scrollTop += y + 2 * rows.rowPx - rows.heightPx;
		}
	};

	const setFocus = (node: number): void => {
		focus = node;
		tell(node);
		if (node !== NONE) scrollTo(node);
		later();
	};

	const zoomTo = (node: number): void => {
		model.setZoom(pathTo(shape.tree, nodePlace(node)));
	};

	const zoomOut = (): boolean => {
		const now = place();
		if (now.node === 0 && now.pool === NONE) return false;
		model.setZoom(pathTo(shape.tree, outwards(shape, now)));
		return true;
	};

	const indexAt = (x: number, y: number): number => boxAt(boxes, x, depthAt(rows, y));

	const openPool = (index: number): void => {
		const first = boxes.node[index];
		const at = { node: shape.tree.parent[first], pool: first, last: boxes.last[index] };
		model.setZoom(pathTo(shape.tree, boxes.more[index] === 1 ? nodePlace(first) : at));
	};

	const activate = (index: number): void => {
		if (index < 0) return;
		const node = boxes.node[index];
		setFocus(node);
		if (boxes.more[index]) openPool(index);
		else if (model.click) model.click(node);
		else zoomTo(node);
	};

	const stackOf = (node: number): number =>
		model.fromRoots() ? stackOfNode(app.shown().tables, shape.tree, node) : NONE;

	const menuOf = (node: number) => {
		const func = funcOf(app.shown(), shape, node);
		if (node === 0) {
			const all = { label: 'Zoom out to all', run: () => zoomTo(0) };
			return [{ label: 'all' }, all, ...undoItems(app)];
		}
		const items = frameMenu(app, app.shown().tables, func, stackOf(node));
		const zoom = {
			label: 'Zoom into it',
			key: model.click ? 'Shift+Enter' : 'Enter',
			run: () => zoomTo(node),
		};
		return [...items.slice(0, 1), zoom, ...items.slice(1)];
	};

	const showSource = (node: number): void => {
		const { tables } = app.shown();
		const func = funcOf(app.shown(), shape, node);
		if (func < 0) return;
		goTo(app, tables, func, 'source', tables.frameLine[shape.tree.frame[node]]);
	};

	const menuAtFocus = (): void => {
		const index = focus === NONE ? -1 : boxIndexOf(focus);
		const box = parts.holder.getBoundingClientRect();
		const x = index < 0 ? 20 : Math.max(0, boxes.x[index]) + 8;
		const y = rowTop(rows, shape.tree.depth[Math.max(0, focus)]) + rows.rowPx;
		app.showMenu(box.left + x, box.top + y, menuOf(Math.max(0, focus)));
	};

	const boxIndexOf = (node: number): number => {
		for (let i = 0; i < boxes.count; i++) if (holds(i, node)) return i;
		return -1;
	};

	listenToPointer(parts.holder, {
		hover(x, y, clientX, clientY) {
			const index = indexAt(x, y);
			if (index === pointed) {
				if (index >= 0) app.showTip(clientX, clientY, tipOf(index));
				return;
			}
			pointed = index;
			parts.holder.style.cursor = index < 0 ? 'default' : 'pointer';
			if (index < 0) {
				app.showTip(0, 0, null);
				app.setHover(null);
			} else {
				app.showTip(clientX, clientY, tipOf(index));
				const node = boxes.node[index];
				const pooled = boxes.more[index] > 0;
				app.setHover({
					func: pooled ? NONE : funcOf(app.shown(), shape, node),
					stack: pooled || node === 0 ? NONE : stackOf(node),
					sample: NONE,
				});
			}
			drawOver();
		},
		leave() {
			pointed = NONE;
			app.showTip(0, 0, null);
			app.setHover(null);
			drawOver();
		},
		click: (x, y) => activate(indexAt(x, y)),
		doubleClick() {
			if (focus > 0) showSource(focus);
		},
		menu(x, y, clientX, clientY) {
			const index = indexAt(x, y);
			if (index < 0) return;
			const node = boxes.node[index];
			setFocus(node);
			app.showTip(0, 0, null);
			app.showMenu(clientX, clientY, menuOf(node));
		},
	});

	const tipOf = (index: number): string[] =>
		boxes.more[index]
			? poolLines(app, boxes.more[index], boxes.weight[index])
			: tipLines(app, shape, boxes.node[index], place().node);

	parts.scroller.addEventListener('scroll', later, { passive: true });
	new ResizeObserver(later).observe(parts.scroller);

	const show = (node: number): void => {
		const { from, to } = target;
		const start = shape.start[node];
		const px = (shape.value[node] / (to - from)) * width;
		if (start < from || start >= to || px < LEAST_PX) zoomTo(node);
		setFocus(node);
	};

	/** Keeps the focused node over a change of the tree, if it is still there. */
	const changeShape = (next: Shape): void => {
		const path = focus === NONE ? null : pathTo(shape.tree, nodePlace(focus));
		const sameTree = next.tree === shape.tree;
		shape = next;
		if (sameTree) return;
		const found = path ? resolvePath(next.tree, path).node : NONE;
		focus = path && found > 0 && next.tree.depth[found] === path.length ? found : NONE;
		tell(focus);
	};

	return {
		element: parts.element,
		update(changed) {
			const next = model.shape();
			const other = next !== shape;
			if (other) changeShape(next);
			if (!other && !concernsTrees(changed)) {
				if (width > 0 && changed.has('hover')) drawOver();
				return;
			}
			follow(!other && !changed.has('size'));
			look = makeLook(app, shape, currentTheme());
			if (moving) later();
			else draw();
		},
		key(event) {
			const start = focus === NONE ? place().node : focus;
			if (event.key.startsWith('Arrow') || event.key === 'Home') {
				const next = moveFocus(shape, start, focus === NONE, event, rows.rootAtTop, model.hideRoot);
				if (next === NONE) return false;
				setFocus(next);
				return true;
			}
			if (event.key === 'Escape' || event.key === 'Backspace') return zoomOut();
			if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
				menuAtFocus();
				return true;
			}
			if (focus === NONE || event.ctrlKey || event.metaKey || event.altKey) return false;
			if (event.key === 'Enter' && model.click && !event.shiftKey) {
				model.click(focus);
				return true;
			}
			if (event.key === 'Enter') {
				zoomTo(focus);
				return true;
			}
			return runMenuKey(menuOf(focus), event);
		},
		show,
		focused: () => focus,
		look: () => look,
		shape: () => shape,
		window: () => target,
		width: () => Math.max(width, 300),
	};
}
