from tests.sharing.test_fact_canary import asked, bucket, desk, ids, object_store_server
from collections import Counter
def test_probe(desk, ids):
    c=Counter()
    ok=[]
    for a,p,s in asked(desk, ids):
        c[(a.split()[0],s)]+=1
        if s==200: ok.append(a)
    print(c); print(sorted(set(x.split('?')[0][:40] for x in ok)))
