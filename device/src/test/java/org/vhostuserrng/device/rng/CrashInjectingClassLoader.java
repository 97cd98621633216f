package org.vhostuserrng.device.rng;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import org.vhostuserrng.device.virtqueue.Virtqueue;
import org.vhostuserrng.transport.vhostuser.inflight.InflightRegion;

/**
 * Loads a copy of the classes of the device and of the inflight region, and inserts a call of {@link StoreCrashPoint}
 * before each store to memory. A test can crash this device between any two stores, and start another device on the
 * same memory.
 */
final class CrashInjectingClassLoader extends ClassLoader {
    private static final List<String> PACKAGES = List.of(
            CrashInjectingClassLoader.class.getPackageName(),
            Virtqueue.class.getPackageName(),
            InflightRegion.class.getPackageName());
    private static final ClassDesc CRASH_POINT =
            StoreCrashPoint.class.describeConstable().orElseThrow();
    private static final MethodTypeDesc BEFORE_STORE = MethodTypeDesc.of(ConstantDescs.CD_void);
    private static final String SEGMENT = MemorySegment.class.getName().replace('.', '/');
    private static final Set<String> STORES = Set.of("set", "fill", "copy");
    /**
     * The class without crash points, because a crash between two random bytes leaves the same state as a crash before
     * them.
     */
    private static final String SOURCE = SequenceEntropySource.class.getName();

    private static final Set<String> SHARED =
            Set.of(StoreCrashPoint.class.getName(), StoreCrashPoint.SimulatedCrash.class.getName());

    CrashInjectingClassLoader() {
        super(CrashInjectingClassLoader.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!PACKAGES.contains(name.substring(0, name.lastIndexOf('.'))) || SHARED.contains(name)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded != null ? loaded : define(name);
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            byte[] original = in.readAllBytes();
            byte[] injected = name.startsWith(SOURCE) ? original : withCrashPoints(original);
            return defineClass(name, injected, 0, injected.length);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static byte[] withCrashPoints(byte[] original) {
        ClassFile classFile = ClassFile.of();
        return classFile.transformClass(
                classFile.parse(original), ClassTransform.transformingMethodBodies((code, element) -> {
                    if (element instanceof InvokeInstruction call && isStore(call)) {
                        code.invokestatic(CRASH_POINT, "beforeStore", BEFORE_STORE);
                    }
                    code.with(element);
                }));
    }

    private static boolean isStore(InvokeInstruction call) {
        return call.owner().asInternalName().equals(SEGMENT)
                && STORES.contains(call.name().stringValue());
    }
}
