/** What a filler thread shares with the thread that serves guests, in its package as that of the device's tests is. */
package org.vhostuserrng.backends;
