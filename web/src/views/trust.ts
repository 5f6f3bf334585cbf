// SPDX-License-Identifier: MIT
import type { View } from '../app/app.js';

export function makeTrust(): View {
	return {
		mount(root) {
			root.textContent = 'trust: not yet';
		},
		update() {},
		help: [],
	};
}
