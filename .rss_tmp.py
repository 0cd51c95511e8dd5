import benchmarks.soak as s, tempfile
from pathlib import Path
from concurrent.futures import ThreadPoolExecutor
from runner.pool import Share
from tests.runner.small_platform import Platform
with tempfile.TemporaryDirectory() as f, ThreadPoolExecutor(2) as c:
    p=Platform(Path(f)); r=p.runner(Share.of(2)); rounds=s._rounds(p); done=0
    for i in range(20):
        done+=s._run(r,c,rounds,1000)
        st=s.State.now(p.cache)
        anon=sum(int(l.split()[1]) for l in open("/proc/self/smaps_rollup") if l.startswith("Anonymous"))
        print(done, round(st.resident/1e6,1), anon//1000, st.threads, st.descriptors, flush=True)
    p.close()
