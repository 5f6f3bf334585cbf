// SPDX-License-Identifier: MIT
import type { View } from '../app/app.js';

export function makeSourceView(): View {
	return {
		mount(root) {
			root.textContent = 'source: not yet';
		},
		update() {},
		help: [],
	};
}
