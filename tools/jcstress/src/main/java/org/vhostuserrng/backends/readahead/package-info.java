/** jcstress tests of the block pool that the read-ahead thread and the event loop share. */
package org.vhostuserrng.backends.readahead;
