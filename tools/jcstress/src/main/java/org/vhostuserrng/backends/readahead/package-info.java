/** Stress tests of the block pool shared by the read-ahead thread and the event loop. */
package org.vhostuserrng.backends.readahead;
