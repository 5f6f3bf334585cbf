// SPDX-License-Identifier: MIT
/** Mouse, wheel and touch on the head: the overview moves and makes windows, the axis pans. */
import type { Range } from '../app/state.js';
import { OVERVIEW_HEIGHT, overviewX } from './timeline_head.js';
import type { Timeline } from './timeline_parts.js';
import { wheel } from './timeline_pointer.js';
import { clampWindow, dragged, panWindow, pinchWindow } from './timeline_window.js';
import { lossLines, moment } from './timeline_words.js';

const HANDLE_PX = 6;

type Grip =
	| { readonly kind: 'move' | 'from' | 'to'; readonly at: number; readonly window: Range }
	| { readonly kind: 'new'; readonly at: number; readonly x: number }
	| { readonly kind: 'axis'; readonly x: number; readonly window: Range }
	| { readonly kind: 'pinch'; readonly times: readonly [number, number] };

/** What taking hold of the overview at x does to a window. */
export function gripAt(
	x: number,
	fromX: number,
	toX: number,
	whole: boolean,
): 'move' | 'from' | 'to' | 'new' {
	if (Math.abs(x - fromX) <= HANDLE_PX) return 'from';
	if (Math.abs(x - toX) <= HANDLE_PX) return 'to';
	return !whole && x > fromX && x < toX ? 'move' : 'new';
}

/** The window while a grip is dragged from one time to another. */
export function draggedWindow(
	kind: 'move' | 'from' | 'to',
	window: Range,
	at: number,
	to: number,
	durationNs: number,
): Range {
	if (kind === 'move') return panWindow(window, to - at, durationNs);
	const other = kind === 'from' ? window.to : window.from;
	return clampWindow(dragged(other, to, durationNs) ?? window, durationNs);
}

export function listenHead(t: Timeline): void {
	const { headCanvas: canvas } = t.dom;
	let grip: Grip | null = null;
	const fingers = new Map<number, number>();
	const at = (event: MouseEvent): [number, number] => {
		const box = canvas.getBoundingClientRect();
		return [event.clientX - box.left - t.left, event.clientY - box.top];
	};
	const timeOf = (x: number) =>
		(Math.max(0, Math.min(t.width, x)) / t.width) * t.capture.durationNs;
	const take = (x: number, y: number): Grip => {
		const { window } = t;
		if (y >= OVERVIEW_HEIGHT) return { kind: 'axis', x, window };
		const whole = window.from <= 0 && window.to >= t.capture.durationNs;
		const kind = gripAt(x, overviewX(t, window.from), overviewX(t, window.to), whole);
		return kind === 'new' ? { kind, at: timeOf(x), x } : { kind, at: timeOf(x), window };
	};
	const moved = (g: Grip, x: number) => {
		if (g.kind === 'axis') {
			const perPixel = (g.window.to - g.window.from) / t.width;
			t.show(panWindow(g.window, (g.x - x) * perPixel, t.capture.durationNs));
		} else if (g.kind === 'pinch') {
			const [a, b] = [...fingers.values()].sort((p, q) => p - q);
			const window = pinchWindow(g.times, [a, b], t.width, t.capture.durationNs);
			if (window !== null) t.show(window);
		} else if (g.kind === 'new') {
			const range = dragged(g.at, timeOf(x), t.capture.durationNs);
			if (range !== null && Math.abs(x - g.x) > 3) t.show(clampWindow(range, t.capture.durationNs));
		} else {
			t.show(draggedWindow(g.kind, g.window, g.at, timeOf(x), t.capture.durationNs));
		}
	};
	canvas.addEventListener('pointerdown', (event) => {
		if (event.button !== 0) return;
		const [x, y] = at(event);
		canvas.setPointerCapture(event.pointerId);
		fingers.set(event.pointerId, x);
		const [a, b] = [...fingers.values()].sort((p, q) => p - q);
		grip = fingers.size === 2 ? { kind: 'pinch', times: [t.timeAt(a), t.timeAt(b)] } : take(x, y);
	});
	canvas.addEventListener('pointermove', (event) => {
		const [x, y] = at(event);
		if (fingers.has(event.pointerId)) fingers.set(event.pointerId, x);
		if (grip !== null) moved(grip, x);
		else hover(t, event, x, y, canvas);
	});
	const over = (event: PointerEvent) => {
		fingers.delete(event.pointerId);
		const [x] = at(event);
		if (grip?.kind === 'new' && Math.abs(x - grip.x) <= 3) centre(t, grip.at);
		grip = null;
	};
	canvas.addEventListener('pointerup', over);
	canvas.addEventListener('pointercancel', over);
	canvas.addEventListener('pointerleave', () => {
		if (grip === null) t.app.showTip(0, 0, null);
	});
	canvas.addEventListener('dblclick', () => t.show({ from: 0, to: t.capture.durationNs }));
	canvas.addEventListener('wheel', (event) => wheel(t, event, at(event)[0], true), {
		passive: false,
	});
}

function centre(t: Timeline, atNs: number): void {
	const half = (t.window.to - t.window.from) / 2;
	t.show(clampWindow({ from: atNs - half, to: atNs + half }, t.capture.durationNs));
}

function hover(
	t: Timeline,
	event: PointerEvent,
	x: number,
	y: number,
	canvas: HTMLCanvasElement,
): void {
	if (y < OVERVIEW_HEIGHT) {
		const { from, to } = t.window;
		const whole = from <= 0 && to >= t.capture.durationNs;
		const grip = gripAt(x, overviewX(t, from), overviewX(t, to), whole);
		canvas.dataset.grip = grip;
		t.app.showTip(0, 0, null);
		return;
	}
	canvas.dataset.grip = 'axis';
	if (x < 0) return;
	const ns = t.timeAt(x);
	const slack = (4 * (t.window.to - t.window.from)) / t.width;
	t.app.showTip(event.clientX, event.clientY, lossLines(t, ns, slack) ?? [moment(t, ns)]);
}
